using System.Globalization;
using System.Text;
using ProxyGateway.Backplane;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Tests.Telemetry;

/// <summary>The generated part of docs/metrics.md, made from the definitions that the meter is made from.</summary>
internal static class MetricsReference
{
    public static IReadOnlyList<MetricDefinition> All { get; } = [.. MetricCatalogue.All, .. ConfigurationMetrics.All, .. BackplaneMetrics.All];

    public static string Write()
    {
        var text = new StringBuilder("| metric | type | unit | labels | what it says |\n|---|---|---|---|---|\n");
        foreach (var metric in All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{metric.ExportedName}` | {Type(metric)} | {Unit(metric)} | {Labels(metric)} | {metric.Description} |\n");
        }

        text.Append("\n### Labels with a closed list\n\n| label | of | values |\n|---|---|---|\n");
        var closed = All.SelectMany(m => m.Labels.Where(l => l.Values is not null).Select(l => (Label: l, Metric: m)))
            .GroupBy(p => (p.Label.ExportedName, Values: string.Join(", ", p.Label.Values!.Select(v => $"`{v}`"))));
        foreach (var group in closed)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{group.Key.ExportedName}` | {string.Join(", ", group.Select(p => $"`{p.Metric.ExportedName}`"))} | {group.Key.Values} |\n");
        }

        text.Append("\n### Buckets\n\n| of | upper ends |\n|---|---|\n");
        foreach (var group in All.Where(m => m.Buckets is not null).GroupBy(m => string.Join(", ", m.Buckets!.Select(b => b.ToString(CultureInfo.InvariantCulture)))))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(", ", group.Select(m => $"`{m.ExportedName}`"))} | {group.Key} |\n");
        }

        return text.ToString();
    }

    private static string Type(MetricDefinition metric) => metric.Kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };

    private static string Unit(MetricDefinition metric) => metric.Unit switch
    {
        "s" => "seconds",
        "By" => "bytes",
        "{token}" => "tokens",
        _ => "",
    };

    private static string Labels(MetricDefinition metric) => string.Join(", ", metric.Labels.Select(l => $"`{l.ExportedName}`"));
}
