using System.Diagnostics;
using System.Net.Sockets;
using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>Whole exchanges without streaming, each connection asking again as soon as it has its answer.</summary>
internal sealed class JsonCell(int connections, int exchanges) : Cell
{
    public override string Name => "json";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var each = exchanges / connections;
        var latency = new DelayHistogram();
        var cpu = new CpuWindow(target.ProcessId);
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => AskAsync(target.Port, each, latency))));
        return new CellResult(new Dictionary<string, double>
        {
            ["cpu s / 10,000 exchanges"] = cpu.CpuPer(1e4, each * connections),
            ["exchanges / s"] = each * connections / cpu.Elapsed.TotalSeconds,
            ["latency p99 us"] = latency.Percentile(0.99),
        });
    }

    /// <summary>Whether the proxy at this port gives an answer.</summary>
    public static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var connection = new LoadConnection(4096);
            await connection.ConnectAsync(port);
            await connection.SendAsync(WireText.Request("json", stream: false));
            await connection.ReceiveToEndAsync().WaitAsync(TimeSpan.FromSeconds(5));
            return true;
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException or TimeoutException)
        {
            return false;
        }
    }

    private static async Task AskAsync(int port, int count, DelayHistogram latency)
    {
        using var connection = new LoadConnection(4096);
        await connection.ConnectAsync(port);
        var request = WireText.Request("json", stream: false);
        for (var i = 0; i < count; i++)
        {
            var since = Stopwatch.GetTimestamp();
            await connection.SendAsync(request);
            await connection.ReceiveToEndAsync();
            latency.Add(Stopwatch.GetElapsedTime(since));
        }
    }
}
