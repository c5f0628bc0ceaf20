using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

public sealed class RetryBudgetTests
{
    [Fact]
    public async Task BudgetIsSpent_ClusterIsNotAskedAgain()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream,
            ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "0.5"), ("Retry:BudgetFloor", "0")));

        for (var i = 0; i < 10; i++)
        {
            // A client that tried again would do what the budget forbids the gateway.
            var result = await gateway.StreamAsync();
            Assert.Equal((502, "false"), (result.Status, result.Header("x-should-retry")));
        }

        Assert.Equal(15, upstream.RequestCount);
        Assert.Equal(5, gateway.Meter.Count("proxygateway.retry_budget.exhausted", ("proxy.cluster.id", "primary")));
    }

    [Fact]
    public async Task BudgetIsSpent_FallbackIsAskedAtOnceAndEverybodyIsServed()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => Agents.Started(3).ThenReset();
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", upstream, ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "0"), ("Retry:BudgetFloor", "0"))
            .Cluster("droid", droid).Fallback("primary", "droid"));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(Agents.WholeText, (await gateway.StreamAsync()).Text());
        }

        Assert.Equal((3, 3), (upstream.RequestCount, droid.RequestCount));
    }

    [Fact]
    public async Task Reload_KeepsWhatWasSpentAndTakesTheNewShare()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream,
            ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "0"), ("Retry:BudgetFloor", "0.2")));
        for (var i = 0; i < 4; i++)
        {
            await gateway.StreamAsync();
        }

        Assert.Equal(4 + 2, upstream.RequestCount);
        await gateway.ReloadAsync(s => s["ReverseProxy:Clusters:primary:Retry:BudgetFloor"] = "0.3");
        for (var i = 0; i < 4; i++)
        {
            await gateway.StreamAsync();
        }

        // Ten seconds have not passed: one more than the two before.
        Assert.Equal(8 + 3, upstream.RequestCount);
    }

    [Fact]
    public async Task SameRequestFailedAtTwoClusters_IsNotOfferedToAThird()
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var droid = ScriptedUpstream.Start();
        await using var third = ScriptedUpstream.Start();
        upstream.Default = droid.Default = Agents.Error(500);
        third.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("MaxAttempts", "10"))
            .Cluster("primary", upstream).Cluster("droid", droid).Cluster("third", third).Fallback("primary", "droid", "third"));

        var result = await gateway.StreamAsync();

        Assert.Equal((502, "upstream_error"), (result.Status, result.ErrorCode()));
        Assert.Equal((2, 1, 0), (upstream.RequestCount, droid.RequestCount, third.RequestCount));
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task OneOfTwoClustersWasNeverReached_ThirdIsAsked()
    {
        using var nobody = new RefusingEndpoint();
        await using var droid = ScriptedUpstream.Start();
        await using var third = ScriptedUpstream.Start();
        droid.Default = Agents.Error(500);
        third.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("MaxAttempts", "10"))
            .Cluster("primary", nobody.Address).Cluster("droid", droid).Cluster("third", third).Fallback("primary", "droid", "third"));

        Assert.Equal((Agents.WholeText, "third"), (await gateway.StreamAsync() is var r ? r.Text() : "", r.Header("x-gateway-cluster")));
    }
}
