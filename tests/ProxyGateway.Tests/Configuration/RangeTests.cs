using System.Text.Json.Nodes;
using ProxyGateway.Configuration.Catalogue;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>Every bound in the catalogue is one the validator holds: the bound itself is taken, one step beyond is refused.</summary>
public sealed class RangeTests
{
    public static TheoryData<string> Bounded
    {
        get
        {
            var data = new TheoryData<string>();
            Collect(OptionCatalogue.Root, "");
            return data;

            void Collect(OptionNode node, string path)
            {
                if (node.RangeText is not null && !node.IsYarp && node.Kind != OptionKind.List)
                {
                    data.Add(path);
                }

                foreach (var child in node.Children)
                {
                    Collect(child, path.Length == 0 ? child.Name : $"{path}:{child.Name}");
                }

                if (node.Item is { } item)
                {
                    Collect(item, node.Kind == OptionKind.List ? $"{path}:0" : $"{path}:agent");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Bounded))]
    public void Bound_IsTakenAndOneStepBeyondIsRefused(string path)
    {
        var option = OptionCatalogue.Find(path)!;
        if (option.Kind == OptionKind.Time)
        {
            Assert.DoesNotContain(ShapeErrors(path, DurationText.Format(option.Shortest!.Value)), IsRange);
            Assert.DoesNotContain(ShapeErrors(path, DurationText.Format(option.Longest!.Value)), IsRange);
            Assert.Contains("is too long", ShapeErrors(path, DurationText.Format(option.Longest.Value + TimeSpan.FromTicks(1))));
            if (option.Shortest > TimeSpan.Zero)
            {
                Assert.Contains("is too short", ShapeErrors(path, DurationText.Format(option.Shortest.Value - TimeSpan.FromTicks(1))));
            }
        }
        else
        {
            var step = option.Kind == OptionKind.Count ? 1 : 0.001;
            Assert.Equal(option.MinimumIsExclusive, ShapeErrors(path, NumberText.Format(option.Minimum!.Value)).Contains("is too small"));
            Assert.Contains("is too small", ShapeErrors(path, NumberText.Format(option.Minimum.Value - step)));
            Assert.DoesNotContain(ShapeErrors(path, NumberText.Format(option.Maximum!.Value)), IsRange);
            Assert.Contains("is too large", ShapeErrors(path, NumberText.Format(option.Maximum.Value + step)));
        }
    }

    private static bool IsRange(string what) => what.StartsWith("is too", StringComparison.Ordinal);

    private static List<string> ShapeErrors(string path, string value)
    {
        var root = JsonNode.Parse(Candidates.OneAgent)!;
        var names = path.Split(':');
        var node = root;
        for (var i = 0; i < names.Length - 1; i++)
        {
            node = node is JsonArray list ? list[0]! : node[names[i]] ??= names[i + 1] == "0" ? new JsonArray(new JsonObject()) : new JsonObject();
        }

        if (node is JsonArray values)
        {
            values[0] = JsonNode.Parse($"\"{value}\"");
        }
        else
        {
            node[names[^1]] = value;
        }

        return [.. Candidates.Of(root.ToJsonString()).Errors.Where(e => e.Path.Equals(path, StringComparison.OrdinalIgnoreCase)).Select(e => e.What)];
    }
}
