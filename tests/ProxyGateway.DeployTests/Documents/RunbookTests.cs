using Xunit;

namespace ProxyGateway.DeployTests.Documents;

/// <summary>Whoever is woken by an alert finds its page, and every page has what that takes.</summary>
public sealed class RunbookTests
{
    private static readonly string[] s_sections = ["## Meaning", "## See it", "## Likely causes", "## What to do", "## When to wait"];

    public static TheoryData<string> Runbooks =>
        [.. Directory.GetFiles(Repository.PathOf("docs", "runbooks"), "*.md").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    private static IEnumerable<Dictionary<string, object>> Alerts => Directory
        .GetFiles(Repository.PathOf("deploy", "prometheus"), "*.yml")
        .Where(f => !f.EndsWith(".test.yml", StringComparison.Ordinal))
        .SelectMany(f => Yaml.MapsAt(Yaml.Document(File.ReadAllText(f)), "groups"))
        .SelectMany(g => Yaml.MapsAt(g, "rules"))
        .Where(r => r.ContainsKey("alert"));

    [Fact]
    public void EveryAlert_HasItsRunbook() => Assert.All(Alerts, a => Assert.Contains((string)a["alert"], Runbooks.Select(r => r.Data)));

    [Fact]
    public void EveryAlertsLink_LeadsToItsRunbook()
    {
        foreach (var alert in Alerts)
        {
            if (Yaml.TextAt(alert, "annotations/runbook_url") is { } url)
            {
                Assert.EndsWith($"docs/runbooks/{alert["alert"]}.md", url, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Runbooks))]
    public void Runbook_SaysWhatTheWokenNeed(string name)
    {
        var text = Repository.Text("docs", "runbooks", name + ".md");

        Assert.StartsWith($"# {name}\n", text, StringComparison.Ordinal);
        Assert.Equal(s_sections, text.Split('\n').Where(l => l.StartsWith("## ", StringComparison.Ordinal)));
        Assert.Contains("```", text, StringComparison.Ordinal);
    }
}
