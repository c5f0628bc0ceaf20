using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>Streams as fast as the target takes them: many events in each read.</summary>
internal sealed class BurstCell(int connections, int streamsEach) : Cell
{
    private const int EventsPerStream = 4000;

    public override string Name => "burst";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var cpu = new CpuWindow(target.ProcessId);
        var events = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => StreamAsync(target))));
        return new CellResult(
            new Dictionary<string, double>
            {
                ["cpu s / million chunks"] = cpu.CpuPer(1e6, events.Sum()),
                ["chunks / s"] = events.Sum() / cpu.Elapsed.TotalSeconds,
            },
            events.Sum() == (long)connections * streamsEach * EventsPerStream ? null : "events were lost");
    }

    private async Task<long> StreamAsync(Target target)
    {
        using var connection = new LoadConnection(64 * 1024);
        await connection.ConnectAsync(target.Port);
        var request = target.Request($"burst={EventsPerStream}", stream: true);
        for (var i = 0; i < streamsEach; i++)
        {
            await connection.SendAsync(request);
            await connection.ReceiveToEndAsync();
        }

        return connection.Events;
    }
}
