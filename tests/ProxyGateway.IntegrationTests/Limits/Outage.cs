using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

/// <summary>A primary that is down for a time under one request after the other, then healthy; a fallback cluster that is well.</summary>
/// <param name="Results">What the clients got, in order.</param>
/// <param name="Breaks">How often the primary's circuit opened.</param>
/// <param name="CallsBeforeFirstBreak">What the primary got until its circuit opened first.</param>
/// <param name="Probes">What it got from there to its recovery.</param>
/// <param name="Back">From its recovery to the first answer that was its own.</param>
internal sealed record Outage(IReadOnlyList<HttpResult> Results, int Breaks, int CallsBeforeFirstBreak, int Probes, TimeSpan Back)
{
    public static async Task<Outage> RunAsync(TimeSpan down, TimeSpan every, params (string Option, string Value)[] options)
    {
        var isDown = 1;
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Volatile.Read(ref isDown) == 1 ? UpstreamScript.ResetAtOnce : Agents.Good(asked);
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, options).Cluster("droid", droid).Fallback("primary", "droid"));
        var breaks = 0;
        gateway.Circuits.Transitioned += t => breaks += t is { Circuit: CircuitKind.Cluster, Transition.To: CircuitStatus.Open } ? 1 : 0;

        List<HttpResult> results = [];
        int? atFirstBreak = null;
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < down || atFirstBreak is null)
        {
            results.Add(await gateway.StreamAsync());
            atFirstBreak ??= breaks > 0 ? upstream.RequestCount : null;
            await Task.Delay(every, TestContext.Current.CancellationToken);
        }

        var probes = upstream.RequestCount - atFirstBreak.Value;
        Volatile.Write(ref isDown, 0);
        start = TimeProvider.System.GetTimestamp();
        do
        {
            results.Add(await gateway.StreamAsync());
            if (results[^1].Header("x-gateway-cluster") != "primary")
            {
                await Task.Delay(every, TestContext.Current.CancellationToken);
            }
        }
        while (results[^1].Header("x-gateway-cluster") != "primary" && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(5));

        return new Outage(results, breaks, atFirstBreak.Value, probes, TimeProvider.System.GetElapsedTime(start));
    }

    public override string ToString() =>
        $"{Results.Count} requests, {Results.Count(r => r.Status == 200)} answered whole; the primary got {CallsBeforeFirstBreak} calls until its circuit opened and {Probes} in {Breaks} breaks; back on it after {Back.TotalSeconds:0.0} s";

    public void AssertKept(TimeSpan backWithin)
    {
        Assert.All(Results, r => Assert.Equal((200, Agents.WholeText), (r.Status, r.Text())));
        Assert.Equal("primary", Results[^1].Header("x-gateway-cluster"));
        Assert.InRange(Probes, 0, Breaks);
        Assert.InRange(Back, TimeSpan.Zero, backWithin);
    }
}
