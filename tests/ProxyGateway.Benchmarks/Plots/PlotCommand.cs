using System.Globalization;
using System.Text.Json.Nodes;

namespace ProxyGateway.Benchmarks.Plots;

/// <summary>Draws how the cost of a chunk grows with the number and with the length of streams, from the file of a <c>load</c> run.</summary>
internal static class PlotCommand
{
    private static readonly (string Cell, string Prefix, string File, string Title, string Axis)[] s_plots =
    [
        ("more-streams", "cpu s / million chunks at ", "cpu-by-streams.svg", "CPU per chunk, 4,000 chunks a second over ever more streams", "open streams"),
        ("longer-streams", "cpu s / million chunks of ", "cpu-by-length.svg", "CPU per chunk, 1.6 million chunks in ever longer streams", "events in a stream"),
    ];

    public static int Run(string file, string directory)
    {
        var cells = JsonNode.Parse(File.ReadAllText(file))!["cells"]!.AsObject();
        var drawn = 0;
        foreach (var (cell, prefix, name, title, axis) in s_plots)
        {
            if (cells[cell] is not JsonObject metrics)
            {
                Console.Error.WriteLine($"{file} has no cell {cell}: {name} is left as it is.");
                continue;
            }

            var path = Path.Combine(directory, name);
            File.WriteAllText(path, new LinePlot(title, axis, "CPU seconds per million chunks", ReadSeries(metrics, prefix)).ToSvg());
            Console.WriteLine(path);
            drawn++;
        }

        return drawn > 0 ? 0 : 1;
    }

    private static List<Series> ReadSeries(JsonObject metrics, string prefix) =>
    [
        .. metrics.Where(m => m.Key.StartsWith(prefix, StringComparison.Ordinal))
            .SelectMany(m => m.Value!.AsObject(), (m, target) => (Size: double.Parse(m.Key.AsSpan(prefix.Length), CultureInfo.InvariantCulture), Target: target))
            .GroupBy(v => v.Target.Key, v => ToPoint(v.Size, v.Target.Value!))
            .Select(t => new Series(t.Key, [.. t.OrderBy(p => p.X)])),
    ];

    private static Point ToPoint(double x, JsonNode measured)
    {
        var rounds = measured["rounds"]!.AsArray().Where(r => r is not null).Select(r => r!.GetValue<double>()).ToList();
        return new Point(x, measured["median"]!.GetValue<double>(), rounds.Min(), rounds.Max());
    }
}
