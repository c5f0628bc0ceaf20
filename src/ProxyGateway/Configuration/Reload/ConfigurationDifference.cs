using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Reload;

/// <summary>What a reload changes, by id, in words that hold no values.</summary>
internal sealed record ConfigurationDifference(
    SectionDifference Routes,
    SectionDifference Clusters,
    IReadOnlyList<string> OtherSections,
    IReadOnlyList<string> NeedsRestart)
{
    public bool IsEmpty => Routes.IsEmpty && Clusters.IsEmpty && OtherSections.Count == 0;

    /// <summary>As in <c>+1 route ~2 clusters</c>.</summary>
    public string Summary
    {
        get
        {
            List<string> parts = [.. Routes.Parts("route"), .. Clusters.Parts("cluster"), .. OtherSections.Select(s => $"~{s}")];
            var summary = IsEmpty ? "no changes" : string.Join(' ', parts);
            return NeedsRestart.Count == 0 ? summary : $"{summary}; needs a restart: {string.Join(", ", NeedsRestart)}";
        }
    }

    /// <param name="before">What serves.</param>
    /// <param name="after">What would serve.</param>
    /// <param name="started">What the process started with: of it are the values that only a restart changes, however many reloads lie between.</param>
    public static ConfigurationDifference Between(ConfigurationSnapshot before, ConfigurationSnapshot after, ConfigurationSnapshot started)
    {
        var other = before.Root.Children.Concat(after.Root.Children)
            .Select(n => n.Name)
            .Where(n => !n.Equals("$schema", StringComparison.Ordinal) && !n.Equals("ReverseProxy", StringComparison.OrdinalIgnoreCase))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(n => Canon(before.Root[n]) != Canon(after.Root[n]));
        var restart = started.Values.Keys.Concat(after.Values.Keys)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(k => OptionCatalogue.Find(k) is { NeedsRestart: true } && started.Values.GetValueOrDefault(k) != after.Values.GetValueOrDefault(k));
        return new ConfigurationDifference(
            Section(before, after, "Routes"),
            Section(before, after, "Clusters"),
            [.. other],
            [.. restart]);
    }

    private static SectionDifference Section(ConfigurationSnapshot before, ConfigurationSnapshot after, string name)
    {
        var old = before.Root.Find("ReverseProxy", name);
        var now = after.Root.Find("ReverseProxy", name);
        return new SectionDifference(
            [.. Names(now).Where(n => old?[n] is null)],
            [.. Names(old).Where(n => now?[n] is null)],
            [.. Names(now).Where(n => old?[n] is { } was && Canon(was) != Canon(now![n]))]);
    }

    private static IEnumerable<string> Names(SettingNode? node) => node?.Children.Select(c => c.Name) ?? [];

    /// <summary>Order matters in model patterns, so order is part of it everywhere.</summary>
    private static string Canon(SettingNode? node) =>
        node is null ? "" : node.Children.Count == 0 ? $"{node.Value}" : "{" + string.Concat(node.Children.Select(c => $"{c.Name}={Canon(c)}\n")) + "}";
}

internal sealed record SectionDifference(IReadOnlyList<string> Added, IReadOnlyList<string> Removed, IReadOnlyList<string> Changed)
{
    public bool IsEmpty => Added.Count + Removed.Count + Changed.Count == 0;

    public IEnumerable<string> Parts(string noun)
    {
        foreach (var (sign, names) in new[] { ('+', Added), ('-', Removed), ('~', Changed) })
        {
            if (names.Count > 0)
            {
                yield return $"{sign}{names.Count} {noun}{(names.Count == 1 ? "" : "s")}";
            }
        }
    }
}
