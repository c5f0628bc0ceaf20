using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

/// <summary>What the circuits and budgets promise, in numbers.</summary>
public sealed class FigureTests
{
    [Fact]
    public async Task DeadUpstreamUnderSteadyTraffic_GetsAFifthMoreAndTheFloorAtMost()
    {
        // Without its circuit: else a handful of requests would be all it ever got.
        const int PerSecond = 200;
        const double Seconds = 4;
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("CircuitBreaker:Enabled", "false")));

        var start = TimeProvider.System.GetTimestamp();
        List<Task<HttpResult>> clients = [];
        while (TimeProvider.System.GetElapsedTime(start).TotalSeconds is var elapsed && elapsed < Seconds)
        {
            while (clients.Count < elapsed * PerSecond)
            {
                clients.Add(gateway.StreamAsync(clients.Count % 2 == 0 ? Wire.Http1 : Wire.Http2));
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.All(await Task.WhenAll(clients), r => Assert.Equal((502, "upstream_truncated"), (r.Status, r.ErrorCode())));
        var took = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        TestContext.Current.SendDiagnosticMessage($"{clients.Count} requests, {upstream.RequestCount} upstream calls in {took:0.0} s");

        // The floor is kept over ten seconds, so it may be spent at once.
        var floor = 3 * Math.Max(10, Math.Ceiling(took / 10) * 10);
        Assert.InRange(upstream.RequestCount, clients.Count + 1, (1.2 * clients.Count) + floor);
        Assert.True(gateway.Meter.Count("proxygateway.retry_budget.exhausted") > 0);
    }

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

    [Fact]
    public async Task DownForAWhile_ServedByTheFallbackWithOneAttemptPerBreakAndBackSoon()
    {
        // A minute's outage under a request every four seconds, at a twentieth of its length: 3 s, a request every 200 ms,
        // breaks of 1.5 s for 30 s.
        var down = 1;
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Volatile.Read(ref down) == 1 ? UpstreamScript.ResetAtOnce : Agents.Good(asked);
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", upstream, ("CircuitBreaker:BreakDuration", "00:00:01.5"), ("CircuitBreaker:MaxBreakDuration", "00:00:01.5"))
            .Cluster("droid", droid).Fallback("primary", "droid"));
        var breaks = 0;
        gateway.Circuits.Transitioned += t => breaks += t.Transition.To == CircuitStatus.Open ? 1 : 0;

        List<HttpResult> results = [];
        int? atFirstBreak = null;
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(3) || atFirstBreak is null)
        {
            results.Add(await gateway.StreamAsync());
            atFirstBreak ??= breaks > 0 ? upstream.RequestCount : null;
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }

        var probes = upstream.RequestCount - atFirstBreak!.Value;
        Volatile.Write(ref down, 0);
        start = TimeProvider.System.GetTimestamp();
        while (results[^1].Header("x-gateway-cluster") != "primary" && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
        {
            results.Add(await gateway.StreamAsync());
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }

        Assert.All(results, r => Assert.Equal((200, Agents.WholeText), (r.Status, r.Text())));
        Assert.Equal("primary", results[^1].Header("x-gateway-cluster"));
        Assert.Equal(breaks - 1, probes);

        // One break and one request after it, and what a busy machine adds.
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 1.5 + 3);
    }

    /// <summary>Not part of the usual run: it measures, and wants a quiet machine.</summary>
    [Fact(Explicit = true)]
    public async Task OverloadAtThreeTimesTheCapacity_GoodputStaysAtNineTenthsOfThePeak()
    {
        const int Capacity = 20;
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
        await GoodputAsync(gateway, Capacity, seconds: 1);

        var peak = await GoodputAsync(gateway, Capacity, seconds: 5);
        var overload = await GoodputAsync(gateway, 3 * Capacity, seconds: 5);

        TestContext.Current.SendDiagnosticMessage($"peak {peak:0.0}/s, at three times the capacity {overload:0.0}/s");
        Assert.True(overload >= 0.9 * peak, $"{overload:0.0}/s of {peak:0.0}/s");
    }

    /// <summary>Whole answers per second for so many clients, each of which asks again as soon as it has an answer, or a little after a refusal.</summary>
    private static async Task<double> GoodputAsync(GatewayFixture gateway, int clients, int seconds)
    {
        var good = 0;
        var start = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            while (TimeProvider.System.GetElapsedTime(start).TotalSeconds < seconds)
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
