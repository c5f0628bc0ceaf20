using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.IntegrationTests.Destinations;

/// <summary>YARP's own work on the destinations of one cluster goes on, and knows how streams ended.</summary>
public sealed class DestinationTests
{
    private static readonly (string, string)[] PassiveHealth =
    [
        ("HealthCheck:Passive:Enabled", "true"), ("HealthCheck:Passive:Policy", "TransportFailureRate"), ("HealthCheck:Passive:ReactivationPeriod", "00:10:00"),
        ("CircuitBreaker:Enabled", "false"), ("LoadBalancingPolicy", "RoundRobin"),
    ];

    [Theory]
    [InlineData("reset")]
    [InlineData("clean end without terminal")]
    [InlineData("error event")]
    [InlineData("silence")]
    public async Task StreamsAreTruncated_DestinationIsUnhealthyAndTheOtherServes(string how)
    {
        await using var bad = ScriptedUpstream.Start();
        bad.Choose = _ => how switch
        {
            "reset" => Agents.Started(3).ThenReset(),
            "error event" => Agents.Started(3).Body("data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"param\":null,\"code\":\"x\"}}\n\n").EndClean(),
            "silence" => Agents.Started(3).Stall(),
            _ => Agents.Started(3).EndClean(),
        };
        await using var good = ScriptedUpstream.Start();
        good.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", bad, [.. PassiveHealth, ("Timeouts:Idle", "00:00:00.3")]).Destination("primary", "b", good));

        for (var i = 0; i < 60 && HealthOf(gateway, "a") != DestinationHealth.Unhealthy; i++)
        {
            Assert.Equal(Agents.WholeText, (await gateway.StreamAsync()).Text());
        }

        Assert.Equal((DestinationHealth.Unhealthy, DestinationHealth.Healthy), (HealthOf(gateway, "a"), HealthOf(gateway, "b")));
        var before = bad.RequestCount;
        Assert.All(await Task.WhenAll(gateway.StreamAsync(), gateway.StreamAsync(), gateway.StreamAsync()), r => Assert.Equal(Agents.WholeText, r.Text()));
        Assert.Equal(before, bad.RequestCount);
    }

    [Fact]
    public async Task ClientsLeave_DestinationStaysHealthy()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => Agents.Started(3).Stall();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, [.. PassiveHealth, ("Timeouts:Idle", "00:01:00")]));

        for (var i = 0; i < 15; i++)
        {
            await gateway.SendAsync(i % 2 == 0 ? Wire.Http1 : Wire.Http2, Chat.Default.Request(), call => call with { LeaveWhen = body => body.Length > 0 });
        }

        await gateway.AssertIdleAsync();
        Assert.Equal(15, upstream.RequestCount);
        Assert.NotEqual(DestinationHealth.Unhealthy, HealthOf(gateway, "a"));
    }

    [Fact]
    public async Task DestinationFails_ReplayGoesToTheOther()
    {
        await using var bad = ScriptedUpstream.Start();
        bad.Default = UpstreamScript.ResetAtOnce;
        await using var good = ScriptedUpstream.Start();
        good.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", bad, ("LoadBalancingPolicy", "FirstAlphabetical"), ("CircuitBreaker:Enabled", "false")).Destination("primary", "b", good));

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(Agents.WholeText, (await gateway.StreamAsync()).Text());
        }

        Assert.Equal((5, 5), (bad.RequestCount, good.RequestCount));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SessionAffinity_BindsTheClientAlsoWhereItsCookiesStayHome(bool ownKey)
    {
        await using var a = ScriptedUpstream.Start();
        await using var b = ScriptedUpstream.Start();
        a.Choose = b.Choose = asked => Agents.Good(asked);
        await using var gateway = await StartWithAffinityAsync(a, b, ownKey);

        var first = await gateway.StreamAsync();
        var cookie = first.Header("Set-Cookie")!.Split(';')[0];
        Assert.StartsWith("destination=", cookie, StringComparison.Ordinal);
        var bound = a.RequestCount == 1 ? a : b;
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(Agents.WholeText, (await SendWithAsync(gateway, $"session=client; {cookie}")).Text());
        }

        Assert.Equal(7, bound.RequestCount);
        Assert.Equal(7, a.RequestCount + b.RequestCount);
        Assert.Equal(ownKey ? cookie : $"session=client; {cookie}", bound.Exchanges[^1].Header("Cookie"));
    }

    [Fact]
    public async Task BoundDestinationFails_AnswerComesFromTheOtherAndTheBindingMoves()
    {
        var failing = -1;
        await using var a = ScriptedUpstream.Start();
        await using var b = ScriptedUpstream.Start();
        a.Choose = asked => Volatile.Read(ref failing) == 0 ? UpstreamScript.ResetAtOnce : Agents.Good(asked);
        b.Choose = asked => Volatile.Read(ref failing) == 1 ? UpstreamScript.ResetAtOnce : Agents.Good(asked);
        await using var gateway = await StartWithAffinityAsync(a, b, ownKey: false);
        var cookie = (await gateway.StreamAsync()).Header("Set-Cookie")!.Split(';')[0];
        Volatile.Write(ref failing, a.RequestCount == 1 ? 0 : 1);

        var moved = await SendWithAsync(gateway, cookie);

        Assert.Equal(Agents.WholeText, moved.Text());
        Assert.Equal("2", moved.Header("x-gateway-attempts"));
        var other = moved.Header("Set-Cookie")!.Split(';')[0];
        Assert.NotEqual(cookie, other);
        Assert.Equal("1", (await SendWithAsync(gateway, other)).Header("x-gateway-attempts"));
    }

    [Fact]
    public async Task FirstContentEwma_SendsMostToTheQuickDestination()
    {
        await using var slow = ScriptedUpstream.Start();
        slow.Choose = _ => UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(800)).Events(Agents.WholeStream).EndClean();
        await using var quick = ScriptedUpstream.Start();
        quick.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", slow, ("LoadBalancingPolicy", "FirstContentEwma")).Destination("primary", "b", quick));

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(Agents.WholeText, (await gateway.StreamAsync()).Text());
        }

        Assert.InRange(slow.RequestCount, 1, 3);
    }

    [Fact]
    public async Task FirstContentEwma_DoesNotTakeFailingFastForQuick()
    {
        await using var bad = ScriptedUpstream.Start();
        bad.Default = UpstreamScript.ResetAtOnce;
        await using var good = ScriptedUpstream.Start();
        good.Choose = _ => UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(30)).Events(Agents.WholeStream).EndClean();
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", bad, ("LoadBalancingPolicy", "FirstContentEwma"), ("CircuitBreaker:Enabled", "false")).Destination("primary", "b", good));

        for (var i = 0; i < 15; i++)
        {
            await gateway.StreamAsync();
        }

        Assert.InRange(bad.RequestCount, 1, 3);
    }

    private static Task<GatewayFixture> StartWithAffinityAsync(ScriptedUpstream a, ScriptedUpstream b, bool ownKey) => GatewayFixture.StartAsync(s =>
    {
        s.Cluster("primary", a, ("SessionAffinity:Enabled", "true"), ("SessionAffinity:Policy", "HashCookie"), ("SessionAffinity:AffinityKeyName", "destination"),
            ("LoadBalancingPolicy", "RoundRobin"), ("CircuitBreaker:Enabled", "false")).Destination("primary", "b", b);
        if (ownKey)
        {
            s["ReverseProxy:Clusters:primary:Credentials:Value"] = "own-key";
        }
    });

    private static Task<HttpResult> SendWithAsync(GatewayFixture gateway, string cookies) => gateway.SendAsync(
        Wire.Http1, Chat.Default.Request(), call => call with { Headers = [.. call.Headers, new("Cookie", cookies)] });

    private static DestinationHealth HealthOf(GatewayFixture gateway, string destination)
    {
        Assert.True(gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("primary", out var cluster));
        return cluster.Destinations[destination].Health.Passive;
    }
}
