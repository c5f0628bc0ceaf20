using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

/// <summary>What an upstream that resets every connection gets of steady traffic. Without its circuit: else a handful of requests would be all.</summary>
internal sealed record DeadUpstream(int Requests, int UpstreamCalls, TimeSpan Took, long Refusals)
{
    public static async Task<DeadUpstream> RunAsync(int perSecond, TimeSpan length)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("CircuitBreaker:Enabled", "false")));

        var start = TimeProvider.System.GetTimestamp();
        List<Task<HttpResult>> clients = [];
        while (TimeProvider.System.GetElapsedTime(start) is var elapsed && elapsed < length)
        {
            while (clients.Count < elapsed.TotalSeconds * perSecond)
            {
                clients.Add(gateway.StreamAsync(clients.Count % 2 == 0 ? Wire.Http1 : Wire.Http2));
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.All(await Task.WhenAll(clients), r => Assert.Equal((502, "upstream_truncated"), (r.Status, r.ErrorCode())));
        return new DeadUpstream(
            clients.Count, upstream.RequestCount, TimeProvider.System.GetElapsedTime(start), gateway.Meter.Count("proxygateway.retry_budget.exhausted"));
    }

    /// <summary>The floor is kept over ten seconds, so it may be spent at once.</summary>
    private double Most => (1.2 * Requests) + (3 * Math.Max(10, Math.Ceiling(Took.TotalSeconds / 10) * 10));

    public override string ToString() => $"{Requests} requests in {Took.TotalSeconds:0.0} s, {UpstreamCalls} upstream calls ({(double)UpstreamCalls / Requests:0.000} x), at most {Most:0}";

    public void AssertKept()
    {
        Assert.InRange(UpstreamCalls, Requests + 1, Most);
        Assert.True(Refusals > 0);
    }
}
