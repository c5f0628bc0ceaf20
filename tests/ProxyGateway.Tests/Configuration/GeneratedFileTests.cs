using System.Text.Json;
using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Commands;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>Committed files that are made from the catalogue are what it makes now; <c>UPDATE_GENERATED=1</c> writes them.</summary>
public sealed class GeneratedFileTests
{
    private const string Begin = "<!-- reference:begin -->\n";
    private const string End = "<!-- reference:end -->";

    [Fact]
    public void CommittedSchema_IsWhatTheVerbPrints()
    {
        var output = new StringWriter();
        Assert.Equal(0, SchemaCommand.Run(output));
        var path = RepositoryFiles.PathOf("config", "appsettings.schema.json");
        if (RepositoryFiles.IsUpdate)
        {
            File.WriteAllText(path, output.ToString());
        }

        Assert.Equal(File.ReadAllText(path), output.ToString());
    }

    [Fact]
    public void Reference_IsMadeFromTheCatalogue()
    {
        var path = RepositoryFiles.PathOf("docs", "configuration.md");
        var expected = ReferenceWriter.Write(OptionCatalogue.Root);
        if (RepositoryFiles.IsUpdate)
        {
            var old = File.ReadAllText(path);
            File.WriteAllText(path, old.Replace(Generated(old), expected, StringComparison.Ordinal));
        }

        Assert.Equal(expected, Generated(File.ReadAllText(path)));
    }

    private static string Generated(string text) =>
        text[(text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..text.IndexOf(End, StringComparison.Ordinal)];

    [Fact]
    public void Schema_HasEveryOptionWithItsBounds()
    {
        using var schema = JsonDocument.Parse(SchemaWriter.Write(OptionCatalogue.Root));
        var seen = 0;
        Walk(OptionCatalogue.Root, schema.RootElement);
        Assert.InRange(seen, 150, 1000);

        void Walk(OptionNode option, JsonElement element)
        {
            seen++;
            if (option.Default is { } standard)
            {
                Assert.Equal(standard, element.GetProperty("default").ToString().Replace("True", "true", StringComparison.Ordinal).Replace("False", "false", StringComparison.Ordinal));
            }

            if (option is { Kind: OptionKind.Count or OptionKind.Share, Minimum: > int.MinValue, Maximum: < int.MaxValue })
            {
                Assert.Equal(option.Minimum, element.GetProperty(option.MinimumIsExclusive ? "exclusiveMinimum" : "minimum").GetDouble());
                Assert.Equal(option.Maximum, element.GetProperty("maximum").GetDouble());
            }

            foreach (var child in option.Children)
            {
                Walk(child, element.GetProperty("properties").GetProperty(child.Name));
            }

            if (option.Item is { } item)
            {
                Walk(item, element.GetProperty(option.Kind == OptionKind.Map ? "additionalProperties" : "items"));
            }
        }
    }
}
