using System.Diagnostics;
using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>From the request to the first content event, one stream after the other; and what of it the proxy adds.</summary>
internal sealed class FirstChunkCell(int upstreamPort, int streams) : Cell
{
    public override string Name => "first";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var through = new DelayHistogram();
        var direct = new DelayHistogram();
        using var proxied = new LoadConnection(4096);
        using var plain = new LoadConnection(4096);
        await proxied.ConnectAsync(target.Port);
        await plain.ConnectAsync(upstreamPort);
        for (var i = 0; i < streams; i++)
        {
            await AskAsync(plain, WireText.Request("short", stream: true), direct);
            await AskAsync(proxied, target.Request("short", stream: true), through);
        }

        return new CellResult(new Dictionary<string, double>
        {
            ["added p50 us"] = through.Percentile(0.5) - direct.Percentile(0.5),
            ["p50 us"] = through.Percentile(0.5),
            ["p99 us"] = through.Percentile(0.99),
        });
    }

    private static async Task AskAsync(LoadConnection connection, byte[] request, DelayHistogram times)
    {
        var since = Stopwatch.GetTimestamp();
        await connection.SendAsync(request);
        await connection.ReceiveFirstEventAsync();
        times.Add(Stopwatch.GetElapsedTime(since));
        await connection.ReceiveRestAsync();
        await Task.Delay(2);
    }
}
