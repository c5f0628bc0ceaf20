using System.Globalization;
using System.Text.RegularExpressions;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>One series of a scrape.</summary>
internal sealed record Series(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>What a scraper reads from <c>/metrics</c> (Prometheus text format 0.0.4).</summary>
internal sealed partial class Scrape
{
    private readonly Dictionary<string, string> _types = [];
    private readonly List<Series> _series = [];

    private Scrape(string text)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                _types[words[2]] = words[3];
            }
            else if (!line.StartsWith('#'))
            {
                var match = Sample().Match(line);
                _series.Add(new Series(
                    match.Groups["name"].Value,
                    Label().Matches(match.Groups["labels"].Value).ToDictionary(l => l.Groups[1].Value, l => l.Groups[2].Value),
                    double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture)));
            }
        }
    }

    /// <summary>Metrics by name: counter, gauge or histogram.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    public IReadOnlyList<Series> All => _series;

    public static async Task<Scrape> ReadAsync(Uri management, CancellationToken cancel)
    {
        using var client = new HttpClient();
        // The exporter keeps an answer for a moment.
        await Task.Delay(350, cancel);
        return new Scrape(await client.GetStringAsync(new Uri(management, "/metrics"), cancel));
    }

    /// <summary>The values of all series of a metric whose labels include these.</summary>
    public IReadOnlyList<double> Values(string name, params (string Label, string Value)[] labels) =>
        [.. _series.Where(s => s.Name == name && labels.All(l => s.Labels.GetValueOrDefault(l.Label) == l.Value)).Select(s => s.Value)];

    public double Sum(string name, params (string Label, string Value)[] labels) => Values(name, labels).Sum();

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][\w:]*)(\{(?<labels>.*)\})? (?<value>\S+)")]
    private static partial Regex Sample();

    [GeneratedRegex(@"(\w+)=""((?:[^""\\]|\\.)*)""")]
    private static partial Regex Label();
}
