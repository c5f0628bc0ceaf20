using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Limits;

/// <summary>Whole answers per second at an agent's capacity, and with clients for three times that.</summary>
internal sealed record Overload(double Peak, double Overloaded)
{
    private const int Capacity = 20;

    public static async Task<Overload> RunAsync(TimeSpan length)
    {
        var inside = 0;
        await using var upstream = ScriptedUpstream.Start();
        // An agent that answers in 100 ms up to its capacity and gets slower for everybody beyond it, more than in proportion.
        upstream.Choose = asked =>
        {
            var now = Interlocked.Increment(ref inside);
            _ = asked.Ended.ContinueWith(_ => Interlocked.Decrement(ref inside), TaskScheduler.Default);
            var load = Math.Max(1.0, (double)now / Capacity);
            return UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(100 * load * load)).Events(Agents.WholeStream).EndClean();
        };
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream,
            ("Concurrency:Limit", $"{Capacity}"), ("Concurrency:Queue", "20"), ("Concurrency:QueueTimeout", "00:00:00.5")));
        await GoodputAsync(gateway, Capacity, TimeSpan.FromSeconds(1));

        return new Overload(await GoodputAsync(gateway, Capacity, length), await GoodputAsync(gateway, 3 * Capacity, length));
    }

    public override string ToString() => $"peak {Peak:0.0}/s, at three times the capacity {Overloaded:0.0}/s ({Overloaded / Peak:P0})";

    /// <summary>Each client asks again as soon as it has an answer, or a little after a refusal.</summary>
    private static async Task<double> GoodputAsync(GatewayFixture gateway, int clients, TimeSpan length)
    {
        var good = 0;
        var start = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            while (TimeProvider.System.GetElapsedTime(start) < length)
            {
                var result = await gateway.StreamAsync();
                if (result.Status == 200 && result.Text() == Agents.WholeText)
                {
                    Interlocked.Increment(ref good);
                }
                else
                {
                    await Task.Delay(100);
                }
            }
        }));
        return good / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }
}
