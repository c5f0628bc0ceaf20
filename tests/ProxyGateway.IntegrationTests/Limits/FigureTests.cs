using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

/// <summary>What the circuits and budgets promise, in numbers.</summary>
public sealed class FigureTests
{
    [Fact]
    public async Task DeadUpstreamUnderSteadyTraffic_GetsAFifthMoreAndTheFloorAtMost() =>
        (await DeadUpstream.RunAsync(perSecond: 200, TimeSpan.FromSeconds(4))).AssertKept();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task ThousandCallersAtHalfOpen_ExactlyTheProbesReachTheUpstream(int probes)
    {
        var release = new TaskCompletionSource();
        var healthy = false;
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Volatile.Read(ref healthy)
            ? UpstreamScript.EventStream().WaitFor(release.Task).Events(Agents.WholeStream).EndClean()
            : UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1"), ("CircuitBreaker:BreakDuration", "00:00:00.2"),
                ("CircuitBreaker:HalfOpenProbes", $"{probes}"), ("Timeouts:ResponseHeaders", "00:01:00"), ("Timeouts:FirstContent", "00:01:00"))
            .Global(("CommitAfter", "00:01:00")));
        await gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => gateway.Circuits.Get("primary").Cluster is { Status: CircuitStatus.Open, TimeToHalfOpen: var wait } && wait == TimeSpan.Zero, "the break is not over");
        Volatile.Write(ref healthy, true);
        var before = upstream.RequestCount;

        var callers = Enumerable.Range(0, 1000).Select(_ => gateway.SendAsync(Wire.Http2, Chat.Default.Request(), c => c with { Timeout = TimeSpan.FromMinutes(2) })).ToList();
        while (callers.Count(c => c.IsCompleted) < 1000 - probes)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            Assert.InRange(upstream.RequestCount - before, 0, probes);
        }

        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount - before == probes, "not all probes were sent");
        release.SetResult();
        var results = await Task.WhenAll(callers);
        Assert.Equal(probes, results.Count(r => r.Status == 200));
        Assert.Equal(1000 - probes, results.Count(r => (r.Status, r.ErrorCode()) == (503, "circuit_open")));
        Assert.Equal(probes, upstream.RequestCount - before);
    }

    /// <summary>
    /// A minute's outage under a request every four seconds, at a twentieth of its length: 3 s, a request every 200 ms, breaks of
    /// 1.5 s for 30 s.
    /// </summary>
    [Fact]
    public async Task DownForAWhile_ServedByTheFallbackWithOneAttemptPerBreakAndBackSoon()
    {
        var outage = await Outage.RunAsync(
            TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(200), ("CircuitBreaker:BreakDuration", "00:00:01.5"), ("CircuitBreaker:MaxBreakDuration", "00:00:01.5"));

        // One break and one request after it, and what a busy machine adds.
        outage.AssertKept(TimeSpan.FromSeconds(1.5 + 3));
    }
}
