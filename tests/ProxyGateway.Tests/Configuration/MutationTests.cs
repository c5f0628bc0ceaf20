using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>Whatever is written, validation answers with findings and never with an exception.</summary>
public sealed class MutationTests
{
    private static readonly string s_sample = File.ReadAllText(RepositoryFiles.PathOf("config", "primary-and-fallback.json"));

    private static readonly string[] s_values =
        ["null", "true", "-1", "1e999", "\"\"", "\"x\"", "\"::\"", "\"http://\"", "\"http://[\"", "\"00:00:99\"", "\"\\ud800\"", "[]", "[null]", "[[]]", "{}", "{\"\":{}}", "{\"a:b\":1}", "{\"0\":{\"Cluster\":{}}}"];

    [Fact]
    public void CutOrScrambledText_IsJudgedWithoutAnException() =>
        Gen.Select(Gen.Int[0, s_sample.Length - 1], Gen.Int[0, 5], Gen.Char)
            .Sample(
                (at, length, inserted) =>
                {
                    var end = Math.Min(s_sample.Length, at + length);
                    var candidate = Candidates.Of(s_sample[..at] + inserted + s_sample[end..]);
                    return candidate.Diagnostics.All(d => d is { Path.Length: > 0, What.Length: > 0, Remedy.Length: > 0, Origin.Source.Length: > 0 });
                },
                iter: 400,
                threads: 1);

    [Fact]
    public void AnyValueInAnyPlace_IsJudgedWithoutAnException()
    {
        var paths = Paths(Parse(), []).ToList();
        Gen.Select(Gen.Int[0, paths.Count - 1], Gen.Int[0, s_values.Length - 1], Gen.Int[0, paths.Count - 1], Gen.Int[0, s_values.Length - 1])
            .Sample(
                (first, firstValue, second, secondValue) =>
                {
                    var root = Parse();
                    Set(root, paths[first], s_values[firstValue]);
                    Set(root, paths[second], s_values[secondValue]);
                    var candidate = Candidates.Of(Raw(root));
                    return candidate.Diagnostics.All(d => d is { Path.Length: > 0, What.Length: > 0, Remedy.Length: > 0, Origin.Source.Length: > 0 });
                },
                iter: 600,
                threads: 1);
    }

    private static JsonNode Parse() => JsonNode.Parse(s_sample, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!;

    private static IEnumerable<string[]> Paths(JsonNode node, string[] path) => node is JsonObject block
        ? block.SelectMany(p => p.Value is null ? [] : Paths(p.Value, [.. path, p.Key])).Concat(path.Length > 0 ? [path] : [])
        : [path];

    /// <summary>Marks the place; the raw value is put in afterwards, since some are no JSON that a tree could hold.</summary>
    private static void Set(JsonNode root, string[] path, string value)
    {
        JsonNode? node = root;
        foreach (var name in path[..^1])
        {
            node = node is JsonObject block ? block[name] : null;
        }

        if (node is JsonObject parent)
        {
            parent[path[^1]] = $"@{value}@";
        }
    }

    private static string Raw(JsonNode root)
    {
        var text = root.ToJsonString();
        foreach (var value in s_values)
        {
            text = text.Replace(JsonSerializer.Serialize($"@{value}@"), value, StringComparison.Ordinal);
        }

        return text;
    }
}
