using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>Down for a while under steady traffic: served meanwhile, few probes, back on the primary soon.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task DownForAWhile_ServedByTheFallbackWithFewProbesAndBackWithinSeconds()
    {
        // A minute's outage at a twentieth of its length; the circuit's numbers are scaled alike.
        var down = 1;
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Volatile.Read(ref down) == 1 ? UpstreamScript.ResetAtOnce : Agents.Good(asked);
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", upstream, ("CircuitBreaker:BreakDuration", "00:00:00.5"), ("CircuitBreaker:MaxBreakDuration", "00:00:01"))
            .Cluster("droid", droid).Fallback("primary", "droid"));
        var cancel = TestContext.Current.CancellationToken;

        List<HttpResult> during = [];
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(3))
        {
            during.Add(await gateway.StreamAsync(during.Count % 2 == 0 ? Wire.Http1 : Wire.Http2));
            await Task.Delay(20, cancel);
        }

        var asked = upstream.RequestCount;
        Volatile.Write(ref down, 0);
        start = TimeProvider.System.GetTimestamp();
        HttpResult result;
        do
        {
            result = await gateway.StreamAsync();
            during.Add(result);
            await Task.Delay(20, cancel);
        }
        while (result.Header("x-gateway-cluster") != "primary" && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10));

        Assert.All(during, r => Assert.Equal((200, Agents.WholeText), (r.Status, r.Text())));
        Assert.Equal("primary", result.Header("x-gateway-cluster"));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(5));

        // Five exchanges opened the circuit, with a stream and a replay each; then one probe (stream and replay) per break.
        Assert.InRange(asked, 10, 10 + (2 * 7));
        await gateway.AssertIdleAsync();
    }
}
