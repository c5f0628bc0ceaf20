using System.Globalization;
using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>The same number of chunks a second over ever more streams: what a stream costs that is open.</summary>
internal sealed class MoreStreamsCell(TimeSpan window) : Cell
{
    private const double ChunksPerSecond = 4000;

    public override string Name => "more-streams";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var values = new Dictionary<string, double>();
        var doubts = new List<string>();
        // Two descriptors per stream, and the usual limit of a process is 20,000.
        foreach (var streams in (int[])[100, 1000, 3000, 9000])
        {
            var result = await new PacedCell("", streams, ChunksPerSecond / streams, window).RunAsync(target);
            values[string.Create(CultureInfo.InvariantCulture, $"cpu s / million chunks at {streams}")] = result.Values["cpu s / million chunks"];
            if (result.Doubt is { } doubt)
            {
                doubts.Add($"{streams} streams: {doubt}");
            }
        }

        return new CellResult(values, doubts.Count > 0 ? string.Join("; ", doubts) : null);
    }
}

/// <summary>The same number of events in ever longer streams: whether what is kept of a stream makes its later events dearer.</summary>
internal sealed class LongerStreamsCell : Cell
{
    private const int Connections = 4;
    private const int EventsInAll = 1_600_000;

    public override string Name => "longer-streams";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var values = new Dictionary<string, double>();
        // In streams of some hundreds the requests are most of what is measured; it belongs to the picture.
        foreach (var events in (int[])[100, 1_000, 10_000, 100_000])
        {
            var cpu = new CpuWindow(target.ProcessId);
            var received = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(() => StreamAsync(target, events))));
            values[string.Create(CultureInfo.InvariantCulture, $"cpu s / million chunks of {events}")] = cpu.CpuPer(1e6, received.Sum());
        }

        return new CellResult(values);
    }

    private static async Task<long> StreamAsync(Target target, int events)
    {
        using var connection = new LoadConnection(64 * 1024);
        await connection.ConnectAsync(target.Port);
        var request = target.Request(string.Create(CultureInfo.InvariantCulture, $"burst={events}"), stream: true);
        for (var left = EventsInAll / Connections; left > 0; left -= events)
        {
            await connection.SendAsync(request);
            await connection.ReceiveToEndAsync();
        }

        return connection.Events;
    }
}
