using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class CircuitBreakerIntegration
{
    private const int Threshold = 5;

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task FiveFailuresInARow_SixthIsRefusedWithoutACall(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await StartAsync(upstream, breakFor: "00:01:00");

        for (var i = 0; i < Threshold; i++)
        {
            Assert.Equal(502, (await gateway.StreamAsync(wire)).Status);
        }

        var calls = upstream.RequestCount;
        var refused = await gateway.StreamAsync(wire);

        Assert.Equal((503, "circuit_open"), (refused.Status, refused.ErrorCode()));
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 66);
        Assert.Equal(calls, upstream.RequestCount);
        Assert.Equal(Threshold * 2, calls);
        await gateway.AssertIdleAsync();
        Assert.Equal(1, gateway.Meter.Count("proxygateway.circuit_breaker.transitions", ("circuit", "cluster"), ("to", "open")));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.circuit_breaker.rejections"));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "rejected")));
    }

    [Fact]
    public async Task OpenWithReject_FallbackClusterGetsNoneEither()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked, Agents.Other);
        await using var gateway = await StartAsync(upstream, "00:01:00", s =>
            s.Cluster("droid", droid).Fallback("primary", "droid")["ReverseProxy:Clusters:primary:CircuitBreaker:OnOpen"] = "Reject");
        for (var i = 0; i < Threshold; i++)
        {
            Assert.Equal("fallback", (await gateway.StreamAsync()).Header("x-gateway-recovery"));
        }

        var (before, fallbackBefore) = (upstream.RequestCount, droid.RequestCount);
        var refused = await gateway.StreamAsync();

        Assert.Equal((503, "circuit_open"), (refused.Status, refused.ErrorCode()));
        Assert.Equal((before, fallbackBefore), (upstream.RequestCount, droid.RequestCount));
    }

    [Fact]
    public async Task OpenWithFallback_FallbackClusterAnswersAtOnce()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked, Agents.Other);
        await using var gateway = await StartAsync(upstream, "00:01:00", s => s.Cluster("droid", droid).Fallback("primary", "droid"));
        for (var i = 0; i < Threshold; i++)
        {
            await gateway.StreamAsync();
        }

        var before = upstream.RequestCount;
        var result = await gateway.StreamAsync();

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.Equal(before, upstream.RequestCount);
        Assert.Equal(("droid", "1", "fallback"), (result.Header("x-gateway-cluster"), result.Header("x-gateway-attempts"), result.Header("x-gateway-recovery")));
        Assert.True(droid.Exchanges[^1].AsksForStream);
    }

    [Fact]
    public async Task BreakIsOver_OneProbeIsLetThroughAndItsSuccessClosesAndResets()
    {
        var healthy = false;
        var release = new TaskCompletionSource();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Volatile.Read(ref healthy)
            ? UpstreamScript.EventStream().WaitFor(release.Task).Events(Agents.WholeStream).EndClean()
            : UpstreamScript.ResetAtOnce;
        await using var gateway = await StartAsync(upstream, breakFor: "00:00:00.3");
        for (var i = 0; i < Threshold; i++)
        {
            await gateway.StreamAsync();
        }

        Volatile.Write(ref healthy, true);
        var before = upstream.RequestCount;
        await Task.Delay(400, TestContext.Current.CancellationToken);

        var probe = gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == before + 1, "no probe was sent");
        var others = await Task.WhenAll(gateway.StreamAsync(), gateway.StreamAsync(Wire.Http2));
        Assert.All(others, r => Assert.Equal((503, "circuit_open"), (r.Status, r.ErrorCode())));
        Assert.Equal(before + 1, upstream.RequestCount);
        Assert.Equal(CircuitStatus.HalfOpen, gateway.Circuits.Get("primary").Cluster.Status);
        release.SetResult();

        Assert.Equal(Agents.WholeText, (await probe).Text());
        await gateway.AssertIdleAsync();
        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("primary").Cluster.Status);

        // Reset: it takes as many failures as ever to open it again.
        Volatile.Write(ref healthy, false);
        for (var i = 0; i < Threshold; i++)
        {
            Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("primary").Cluster.Status);
            await gateway.StreamAsync();
        }

        Assert.Equal(CircuitStatus.Open, gateway.Circuits.Get("primary").Cluster.Status);
    }

    [Fact]
    public async Task FourFailuresASuccessFourFailures_StaysClosed()
    {
        var healthy = false;
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Volatile.Read(ref healthy) ? Agents.Good(asked) : UpstreamScript.ResetAtOnce;
        await using var gateway = await StartAsync(upstream, breakFor: "00:01:00");

        for (var i = 0; i < 9; i++)
        {
            Volatile.Write(ref healthy, i == 4);
            Assert.Equal(i == 4 ? 200 : 502, (await gateway.StreamAsync()).Status);
        }

        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("primary").Cluster.Status);
        Assert.Equal(0, gateway.Meter.Count("proxygateway.circuit_breaker.transitions", ("circuit", "cluster")));
    }

    private static Task<GatewayFixture> StartAsync(UpstreamBase upstream, string breakFor, Action<GatewaySetup>? more = null) => GatewayFixture.StartAsync(s =>
    {
        s.Cluster("primary", upstream, ("CircuitBreaker:BreakDuration", breakFor), ("CircuitBreaker:FailureThreshold", $"{Threshold}"));
        more?.Invoke(s);
    });
}
