using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class AgentSpecificFallback
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task CcrouterFails_DroidAnswersWithItsModel(Wire wire)
    {
        await using var ccrouter = ScriptedUpstream.Start();
        ccrouter.Default = Agents.Error(503);
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked, Agents.Other);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Chat("ccrouter").Cluster("ccrouter", ccrouter).Cluster("droid", droid).Fallback("ccrouter", "droid=droid-1"));

        var result = await gateway.SendAsync(wire, Agents.OddRequest);

        Assert.Equal(Agents.WholeText, result.Text());
        var asked = Assert.Single(droid.Exchanges);
        Assert.Equal(
            System.Text.Encoding.UTF8.GetString(Agents.OddRequest).Replace("\"m\"", "\"droid-1\"", StringComparison.Ordinal),
            System.Text.Encoding.UTF8.GetString(asked.Body));
        Assert.Equal(("droid", "fallback"), (result.Header("x-gateway-cluster"), result.Header("x-gateway-recovery")));
        await gateway.AssertContractAsync(result, Agents.OddRequest);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task DroidFailsWithoutAFallback_ErrorIsTheAnswer(Wire wire)
    {
        await using var droid = ScriptedUpstream.Start();
        droid.Default = Agents.Error(500);
        await using var ccrouter = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Chat("ccrouter", ("Models:droid-*", "droid")).Cluster("ccrouter", ccrouter).Cluster("droid", droid).Fallback("ccrouter", "droid"));

        var request = (Chat.Default with { Model = "droid-2" }).Request();
        var result = await gateway.SendAsync(wire, request);

        Assert.Equal((502, "upstream_error", "false"), (result.Status, result.ErrorCode(), result.Header("x-should-retry")));
        Assert.Contains("status 500", result.Text, StringComparison.Ordinal);
        Assert.Equal((2, 0), (droid.RequestCount, ccrouter.RequestCount));
        await gateway.AssertContractAsync(result, request);
    }

    [Theory]
    [InlineData("gemini-3", "ccrouter")]
    [InlineData("droid-mini", "small")]
    [InlineData("droid-7", "droid")]
    [InlineData("something", "ccrouter")]
    public async Task ModelPattern_PicksTheCluster(string model, string cluster)
    {
        string[] clusters = ["ccrouter", "droid", "small"];
        var agents = clusters.ToDictionary(c => c, _ => ScriptedUpstream.Start());
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Chat("ccrouter", ("Models:gemini-*", "ccrouter"), ("Models:droid-*", "droid"), ("Models:droid-mini", "small"));
            foreach (var (id, agent) in agents)
            {
                agent.Choose = asked => Agents.Good(asked);
                s.Cluster(id, agent);
            }
        });

        var result = await gateway.SendAsync(Wire.Http1, (Chat.Default with { Model = model }).Request());

        Assert.Equal(cluster, result.Header("x-gateway-cluster"));
        Assert.All(agents, a => Assert.Equal(a.Key == cluster ? 1 : 0, a.Value.RequestCount));
        foreach (var agent in agents.Values)
        {
            await agent.DisposeAsync();
        }
    }

    [Fact]
    public async Task UnknownModelWithReject_IsNotFoundWithoutACall()
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s =>
            s.Chat("primary", ("Models:gemini-*", "primary"), ("UnknownModel", "Reject")).Cluster("primary", upstream));

        var result = await gateway.StreamAsync();

        Assert.Equal((404, "model_not_found"), (result.Status, result.ErrorCode()));
        Assert.Equal("invalid_request_error", result.Error()!.Value.GetProperty("type").GetString());
        Assert.Equal(0, upstream.RequestCount);
    }

    [Fact]
    public async Task FallbackWithOpenCircuit_IsPassedOver()
    {
        await using var primary = ScriptedUpstream.Start();
        primary.Default = UpstreamScript.ResetAtOnce;
        await using var droid = ScriptedUpstream.Start();
        await using var third = ScriptedUpstream.Start();
        third.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
            s.Cluster("primary", primary).Cluster("droid", droid).Cluster("third", third).Fallback("primary", "droid", "third"));
        gateway.Circuits.Get("droid").Cluster.Isolate();

        var result = await gateway.StreamAsync();

        Assert.Equal((Agents.WholeText, "third"), (result.Text(), result.Header("x-gateway-cluster")));
        Assert.Equal(0, droid.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task ClusterWithoutHealthyDestination_IsPassedOver()
    {
        await using var dying = ScriptedUpstream.Start();
        dying.Default = UpstreamScript.ResetAtOnce;
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", dying, ("HealthCheck:Passive:Enabled", "true"), ("HealthCheck:Passive:Policy", "TransportFailureRate"),
                ("HealthCheck:Passive:ReactivationPeriod", "00:10:00"), ("HealthCheck:AvailableDestinationsPolicy", "HealthyAndUnknown"),
                ("Metadata:TransportFailureRateHealthPolicy.RateLimit", "0.01"), ("CircuitBreaker:Enabled", "false"))
            .Cluster("droid", droid).Fallback("primary", "droid"));

        // Health policies work behind the exchange's back, so the verdict may come one exchange late.
        int before;
        var exchanges = 0;
        do
        {
            before = dying.RequestCount;
            var result = await gateway.StreamAsync();
            Assert.Equal((200, Agents.WholeText, "fallback"), (result.Status, result.Text(), result.Header("x-gateway-recovery")));
        }
        while (dying.RequestCount > before && ++exchanges < 20);

        Assert.Equal(before, dying.RequestCount);
    }
}
