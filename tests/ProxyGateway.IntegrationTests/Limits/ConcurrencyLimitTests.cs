using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

public sealed class ConcurrencyLimitTests
{
    [Theory]
    [InlineData(Wire.Http1, "ReverseProxy:Clusters:primary:Concurrency:")]
    [InlineData(Wire.Http2, "ReverseProxy:Clusters:primary:Concurrency:")]
    [InlineData(Wire.Http1, "StreamingFallback:Concurrency:")]
    [InlineData(Wire.Http2, "StreamingFallback:Concurrency:")]
    public async Task FullWithoutAQueue_Is503WithRetryAfterAtOnce(Wire wire, string block)
    {
        var release = new TaskCompletionSource();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => UpstreamScript.EventStream().WaitFor(release.Task).Events(Agents.WholeStream).EndClean();
        await using var gateway = await StartAsync(upstream, block, limit: 2, queue: 0);
        var inside = new[] { gateway.StreamAsync(wire), gateway.StreamAsync(wire) };
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == 2, "two should be in");

        var refused = await gateway.StreamAsync(wire);

        Assert.Equal((503, "overloaded", "1"), (refused.Status, refused.ErrorCode(), refused.Header("Retry-After")));
        Assert.NotNull(refused.Header("x-request-id"));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.concurrency.rejections"));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "rejected")));
        release.SetResult();
        Assert.All(await Task.WhenAll(inside), r => Assert.Equal(Agents.WholeText, r.Text()));
        Assert.Equal(Agents.WholeText, (await gateway.StreamAsync(wire)).Text());
        await gateway.AssertIdleAsync();
        Assert.Equal((0, 0), (gateway.Limits.All.Inside, gateway.Limits.Get("primary").Gate.Inside));
    }

    [Fact]
    public async Task PlaceInTheQueue_IsTakenAndServed()
    {
        var release = new TaskCompletionSource();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => UpstreamScript.EventStream().WaitFor(release.Task).Events(Agents.WholeStream).EndClean();
        await using var gateway = await StartAsync(upstream, "ReverseProxy:Clusters:primary:Concurrency:", limit: 1, queue: 1);
        var first = gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == 1, "one should be in");
        var second = gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => gateway.Limits.Get("primary").Gate.Waiting == 1, "one should wait");

        Assert.Equal(503, (await gateway.StreamAsync()).Status);
        release.SetResult();

        Assert.Equal((Agents.WholeText, Agents.WholeText), ((await first).Text(), (await second).Text()));
    }

    [Fact]
    public async Task FullCluster_FallbackIsAsked()
    {
        var release = new TaskCompletionSource();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => UpstreamScript.EventStream().WaitFor(release.Task).Events(Agents.WholeStream).EndClean();
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await StartAsync(upstream, "ReverseProxy:Clusters:primary:Concurrency:", limit: 1, queue: 0, s => s.Cluster("droid", droid).Fallback("primary", "droid"));
        var first = gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == 1, "one should be in");

        var second = await gateway.StreamAsync();

        Assert.Equal((Agents.WholeText, "droid"), (second.Text(), second.Header("x-gateway-cluster")));
        release.SetResult();
        Assert.Equal("primary", (await first).Header("x-gateway-cluster"));
    }

    [Fact]
    public async Task LimitIsRaisedByAReload_NextIsLetIn()
    {
        var release = new TaskCompletionSource();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => UpstreamScript.EventStream().WaitFor(release.Task).Events(Agents.WholeStream).EndClean();
        await using var gateway = await StartAsync(upstream, "ReverseProxy:Clusters:primary:Concurrency:", limit: 1, queue: 0);
        var first = gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == 1, "one should be in");
        Assert.Equal(503, (await gateway.StreamAsync()).Status);

        await gateway.ReloadAsync(s => s["ReverseProxy:Clusters:primary:Concurrency:Limit"] = "2");
        var second = gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == 2, "the second should be in");

        // The first, which came under the old limit, still counts.
        Assert.Equal(503, (await gateway.StreamAsync()).Status);
        release.SetResult();
        await Task.WhenAll(first, second);
    }

    [Fact]
    public async Task ClusterIsRemovedByAReload_ItsStateIsForgottenAndTheOthersKeepTheirs()
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var droid = ScriptedUpstream.Start();
        upstream.Default = droid.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1"), ("CircuitBreaker:BreakDuration", "00:01:00"))
            .Cluster("droid", droid, ("CircuitBreaker:FailureThreshold", "1"), ("CircuitBreaker:BreakDuration", "00:01:00"))
            .Fallback("primary", "droid"));
        await gateway.StreamAsync();
        await gateway.AssertIdleAsync();
        Assert.Equal(["droid", "primary"], gateway.Circuits.All.Keys.Order());

        await gateway.ReloadAsync(s => s.Remove("droid"));

        Assert.Equal(["primary"], gateway.Circuits.All.Keys);
        Assert.Equal("circuit_open", (await gateway.StreamAsync()).ErrorCode());

        await gateway.ReloadAsync(s => s.Cluster("droid", droid).Fallback("primary", "droid"));
        droid.Choose = asked => Agents.Good(asked);
        Assert.Equal((Agents.WholeText, "droid"), (await gateway.StreamAsync() is var r ? r.Text() : "", r.Header("x-gateway-cluster")));
    }

    private static Task<GatewayFixture> StartAsync(UpstreamBase upstream, string block, int limit, int queue, Action<GatewaySetup>? more = null) => GatewayFixture.StartAsync(s =>
    {
        s.Cluster("primary", upstream);
        s[block + "Limit"] = $"{limit}";
        s[block + "Queue"] = $"{queue}";
        s[block + "QueueTimeout"] = "00:00:10";
        more?.Invoke(s);
    });
}
