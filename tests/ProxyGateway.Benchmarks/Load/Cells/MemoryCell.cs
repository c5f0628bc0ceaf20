using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>Memory of a fresh process: idle, and per stream that is open and quiet.</summary>
internal sealed class MemoryCell(int streams) : Cell
{
    public override string Name => "memory";

    public override async Task<CellResult> RunAsync(Target target)
    {
        await target.StartAsync();
        await Task.Delay(1500);
        var idle = ProcessCost.ResidentBytes(target.ProcessId);
        var connections = new List<LoadConnection>();
        try
        {
            // A few first, so that code and pools are not booked on the streams.
            await OpenAsync(target, connections, 50);
            await Task.Delay(500);
            var before = ProcessCost.ResidentBytes(target.ProcessId);
            await OpenAsync(target, connections, streams);
            await Task.Delay(2000);
            var after = ProcessCost.ResidentBytes(target.ProcessId);
            return new CellResult(new Dictionary<string, double>
            {
                ["idle MB"] = idle / 1e6,
                [$"KB / stream at {streams}"] = (after - before) / 1e3 / streams,
            });
        }
        finally
        {
            connections.ForEach(c => c.Dispose());
            target.Stop();
        }
    }

    private static async Task OpenAsync(Target target, List<LoadConnection> connections, int count)
    {
        const int AtOnce = 50;
        var request = target.Request("paced=0.1", stream: true);
        for (var opened = 0; opened < count; opened += AtOnce)
        {
            var batch = Enumerable.Range(0, Math.Min(AtOnce, count - opened)).Select(_ => new LoadConnection(1024)).ToList();
            connections.AddRange(batch);
            await Task.WhenAll(batch.Select(async c =>
            {
                await c.ConnectAsync(target.Port);
                await c.SendAsync(request);
                await c.ReceiveFirstEventAsync();
                _ = c.ReceiveForEverAsync(null);
            })).WaitAsync(TimeSpan.FromSeconds(20));
        }
    }
}
