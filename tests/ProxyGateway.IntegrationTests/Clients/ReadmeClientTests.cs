using System.Text.Json.Nodes;
using ProxyGateway.IntegrationTests.Clients.Judging;
using Xunit;

namespace ProxyGateway.IntegrationTests.Clients;

/// <summary>What the README tells users of an SDK is what the judges do.</summary>
public sealed class ReadmeClientTests
{
    private static readonly string s_readme = File.ReadAllText(Path.Combine(ClientTable.RepositoryRoot, "README.md"));

    [Theory]
    [InlineData("tests/clients/package.json")]
    [InlineData("tests/clients/agents/package.json")]
    public void Readme_NamesEveryJudgedPackage(string manifest)
    {
        string[] parts = ["@langchain/core", "ai", "zod"];
        var packages = JsonNode.Parse(File.ReadAllText(Path.Combine(ClientTable.RepositoryRoot, manifest)))!["dependencies"]!.AsObject().Select(d => d.Key).Except(parts);

        Assert.All(packages, package => Assert.Contains($"`{package}`", s_readme));
    }

    [Fact]
    public void Readme_SettingsAreTheJudges()
    {
        var judges = string.Concat(Directory.GetFiles(Path.Combine(ClientTable.RepositoryRoot, "tests", "clients", "clients"), "*.mjs").Select(File.ReadAllText));
        var settings = s_readme.Split('\n')
            .SkipWhile(l => l != "## With your SDK").TakeWhile(l => l != "## Chat formats")
            .Where(l => l.StartsWith("| `", StringComparison.Ordinal) && l.Contains(".mjs", StringComparison.Ordinal))
            .Select(l => l.Split('|')[2].Trim(' ', '`'))
            .ToList();

        Assert.True(settings.Count >= 7, "the table is not where it was");
        // The judges write `base` where a user writes the gateway's address.
        Assert.All(settings, setting => Assert.Contains(setting.Replace("\"http://127.0.0.1:8080", "base + \"", StringComparison.Ordinal).Replace("base + \"\"", "base", StringComparison.Ordinal), judges));
    }
}
