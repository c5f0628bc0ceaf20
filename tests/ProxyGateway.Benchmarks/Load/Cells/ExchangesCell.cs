using System.Diagnostics;
using System.Net.Sockets;
using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>Whole exchanges, each connection asking again as soon as it has its answer: what an exchange costs apart from its length.</summary>
internal sealed class ExchangesCell(string behaviour, bool stream, int connections, int exchanges) : Cell
{
    /// <summary>The name is what the upstream is asked for: <c>json</c>, or <c>short</c> (a stream of one event).</summary>
    public override string Name => behaviour;

    public override async Task<CellResult> RunAsync(Target target)
    {
        var each = exchanges / connections;
        var latency = new DelayHistogram();
        var cpu = new CpuWindow(target.ProcessId);
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => AskAsync(target, each, latency))));
        return new CellResult(new Dictionary<string, double>
        {
            ["cpu s / 10,000 exchanges"] = cpu.CpuPer(1e4, each * connections),
            ["exchanges / s"] = each * connections / cpu.Elapsed.TotalSeconds,
            ["latency p99 us"] = latency.Percentile(0.99),
        });
    }

    /// <summary>Whether the proxy gives an answer.</summary>
    public static async Task<bool> AnswersAsync(Target target)
    {
        try
        {
            using var connection = new LoadConnection(4096);
            await connection.ConnectAsync(target.Port);
            await connection.SendAsync(target.Request("json", stream: false));
            await connection.ReceiveToEndAsync().WaitAsync(TimeSpan.FromSeconds(5));
            return true;
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException or TimeoutException)
        {
            return false;
        }
    }

    private async Task AskAsync(Target target, int count, DelayHistogram latency)
    {
        using var connection = new LoadConnection(4096);
        await connection.ConnectAsync(target.Port);
        var request = target.Request(behaviour, stream);
        for (var i = 0; i < count; i++)
        {
            var since = Stopwatch.GetTimestamp();
            await connection.SendAsync(request);
            await connection.ReceiveToEndAsync();
            latency.Add(Stopwatch.GetElapsedTime(since));
        }
    }
}
