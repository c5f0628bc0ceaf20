using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxyGateway.Benchmarks.Load.Cells;

namespace ProxyGateway.Benchmarks.Load;

/// <summary>All that was measured: medians with the least and the greatest, and ratios to the first target, taken round by round.</summary>
internal sealed class LoadReport(LoadOptions options)
{
    private readonly List<Measured> _all = [];
    private readonly List<string> _doubts = [];
    private readonly string _machine = Describe();

    public bool HasResults => _all.Count > 0;

    public void Add(string cell, string target, int round, CellResult result, NoiseWindow? noise)
    {
        foreach (var (metric, value) in result.Values)
        {
            _all.Add(new Measured(cell, metric, target, round, value));
        }

        if (noise is not null)
        {
            _all.Add(new Measured(cell, "upstream cores", target, round, noise.UpstreamCores));
            _all.Add(new Measured(cell, "other processes' cores", target, round, noise.OtherCores));
        }

        if (result.Doubt is { } doubt)
        {
            _doubts.Add($"{cell}, {target}, round {round + 1}: {doubt}");
        }
    }

    public void Print(TextWriter output)
    {
        output.WriteLine(_machine);
        output.WriteLine($"rounds {options.Rounds}, window {options.Window.TotalSeconds} s; median (least to greatest); x = median of the ratios to {options.Targets[0]} in the same round");
        foreach (var cell in _all.GroupBy(m => m.Cell))
        {
            output.WriteLine();
            output.WriteLine(cell.Key);
            foreach (var metric in cell.GroupBy(m => m.Metric))
            {
                output.WriteLine($"  {metric.Key}");
                foreach (var target in metric.GroupBy(m => m.Target).OrderBy(t => options.Targets.ToList().IndexOf(t.Key)))
                {
                    var values = target.Select(m => m.Value).Order().ToList();
                    var ratio = Ratio(cell.Key, metric.Key, target.Key) is { } r ? $"x {r.Median:F2} ({r.Least:F2} to {r.Greatest:F2})" : "";
                    output.WriteLine(string.Create(
                        CultureInfo.InvariantCulture, $"    {target.Key,-16} {Median(values),10:G4}  ({values[0]:G4} to {values[^1]:G4})  {ratio}"));
                }
            }
        }

        foreach (var doubt in _doubts)
        {
            output.WriteLine($"doubtful: {doubt}");
        }
    }

    public string ToJson()
    {
        var cells = new JsonObject();
        foreach (var group in _all.GroupBy(m => m.Cell))
        {
            var cell = new JsonObject();
            foreach (var metric in group.GroupBy(m => m.Metric))
            {
                var targets = new JsonObject();
                foreach (var target in metric.GroupBy(m => m.Target))
                {
                    targets[target.Key] = new JsonObject
                    {
                        ["median"] = Number(Median([.. target.Select(m => m.Value).Order()])),
                        ["ratio"] = Ratio(group.Key, metric.Key, target.Key) is { } r ? Number(r.Median) : null,
                        ["rounds"] = new JsonArray([.. target.Select(m => Number(m.Value))]),
                    };
                }

                cell[metric.Key] = targets;
            }

            cells[group.Key] = cell;
        }

        var report = new JsonObject
        {
            ["machine"] = _machine,
            ["ratiosTo"] = options.Targets[0],
            ["windowSeconds"] = options.Window.TotalSeconds,
            ["cells"] = cells,
            ["doubtful"] = new JsonArray([.. _doubts.Select(d => JsonValue.Create(d))]),
        };
        return report.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    private (double Median, double Least, double Greatest)? Ratio(string cell, string metric, string target)
    {
        var baseline = _all.Where(m => m.Cell == cell && m.Metric == metric && m.Target == options.Targets[0]).ToLookup(m => m.Round, m => m.Value);
        var ratios = _all.Where(m => m.Cell == cell && m.Metric == metric && m.Target == target && baseline.Contains(m.Round))
            .Select(m => m.Value / baseline[m.Round].First()).Order().ToList();
        return ratios.Count == 0 ? null : (Median(ratios), ratios[0], ratios[^1]);
    }

    private static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(Math.Round(value, 4)) : null;

    private static double Median(List<double> ordered) => ordered.Count % 2 == 1
        ? ordered[ordered.Count / 2]
        : (ordered[(ordered.Count / 2) - 1] + ordered[ordered.Count / 2]) / 2;

    private static string Describe()
    {
        var model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        var load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "?";
        return $"{model ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, load at start {load}";
    }

    private readonly record struct Measured(string Cell, string Metric, string Target, int Round, double Value);
}
