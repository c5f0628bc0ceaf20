using System.Globalization;
using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>Streams that each get events at a steady rate, as a model writes them.</summary>
internal sealed class PacedCell(string name, int streams, double perSecond, TimeSpan window) : Cell
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(700);

    public override string Name => name;

    public override async Task<CellResult> RunAsync(Target target)
    {
        var connections = new List<LoadConnection>();
        try
        {
            var delays = new DelayHistogram();
            var request = target.Request(string.Create(CultureInfo.InvariantCulture, $"paced={perSecond}"), stream: true);
            for (var i = 0; i < streams; i++)
            {
                var connection = new LoadConnection(4096);
                connections.Add(connection);
                await connection.ConnectAsync(target.Port);
                await connection.SendAsync(request);
                _ = connection.ReceiveForEverAsync(delays);
            }

            await Task.Delay(Settle);
            delays.Clear();
            var before = connections.Sum(c => c.Events);
            var cpu = new CpuWindow(target.ProcessId);
            var ownBefore = Environment.CpuUsage.TotalTime;
            await Task.Delay(window);
            var events = connections.Sum(c => c.Events) - before;
            var own = Environment.CpuUsage.TotalTime - ownBefore;
            var perMillion = cpu.CpuPer(1e6, events);
            var rate = events / cpu.Elapsed.TotalSeconds;
            return new CellResult(
                new Dictionary<string, double>
                {
                    ["cpu s / million chunks"] = perMillion,
                    ["delay p50 us"] = delays.Percentile(0.5),
                    ["delay p99 us"] = delays.Percentile(0.99),
                    ["client cores"] = own / cpu.Elapsed,
                },
                rate < 0.93 * streams * perSecond ? $"only {rate:F0} of {streams * perSecond} chunks/s came through" : null);
        }
        finally
        {
            connections.ForEach(c => c.Dispose());
            await Task.Delay(200); // The target notices that its clients have left.
        }
    }
}
