using System.Net;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.AgentApi;

/// <summary>What a client of <c>/events</c> sees while the agent's connections break.</summary>
public sealed class EventStreamTests
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task HealthyStream_IsPassedOnUntouched(Wire wire)
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.Say("hello", role: "user");
        agent.Complain("something is odd");
        await using var gateway = await AgentSetup.StartAsync(agent.Address);

        await using var client = await EventListener.OpenAsync(gateway, wire);
        await client.EventuallyAsync(c => c.Errors.Count == 1, "the state should come");
        agent.Say("par");
        agent.Say("part", isNew: false);
        await client.EventuallyAsync(c => c.Conversation is ["hello", "part"], "the updates should come");

        Assert.Equal(
            """
            event: message_update
            data: {"id":0,"role":"user","message":"hello","time":"2026-01-01T00:00:00Z"}

            event: status_change
            data: {"status":"stable","agent_type":"claude"}

            event: agent_error
            data: {"message":"something is odd","level":"error","time":"2026-01-01T00:00:00Z"}

            event: message_update
            data: {"id":1,"role":"agent","message":"par","time":"2026-01-01T00:00:00Z"}

            event: message_update
            data: {"id":1,"role":"agent","message":"part","time":"2026-01-01T00:00:00Z"}


            """.ReplaceLineEndings("\n"),
            client.Text);
        Assert.Equal("text/event-stream", client.Response.Content.Headers.ContentType!.ToString());
        Assert.Equal("no", client.Response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.Equal(("agent", "1"), (client.Response.Headers.GetValues("x-gateway-cluster").Single(), client.Response.Headers.GetValues("x-gateway-attempts").Single()));
    }

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, true)]
    public async Task TwentyCutsInTheMiddleOfEvents_ClientNoticesNothingAndGetsNothingTwice(Wire wire, bool clean)
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.Say("question", role: "user");
        agent.Complain("shown once");
        await using var gateway = await AgentSetup.StartAsync(agent.Address, ("CircuitBreaker:FailureThreshold", "2"));
        await using var client = await EventListener.OpenAsync(gateway, wire);
        await client.EventuallyAsync(c => c.Errors.Count == 1, "the state should come");

        for (var i = 1; i <= 20; i++)
        {
            agent.Cut(midEvent: true, clean);
            agent.Say($"answer {i}");
            await GatewayFixture.EventuallyAsync(() => agent.Subscribers == 1 && agent.Subscriptions == i + 1, $"connection {i + 1} should stand");
            agent.Say($"answer {i}, finished", isNew: false);
            await client.EventuallyAsync(c => c.Conversation.Count == i + 1 && c.Conversation[i].EndsWith("finished", StringComparison.Ordinal), $"answer {i} should come");
        }

        Assert.Equal(agent.Messages.Select(m => m.Text), client.Conversation);
        Assert.Equal(["shown once"], client.Errors);
        Assert.Single(client.Events, e => e.EventType == "status_change");
        Assert.Equal(client.Events.Count, client.Events.Select(e => e.EventType + e.Data).Distinct().Count());
        Assert.Null(client.Ending);
        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("agent").Cluster.Status);
        Assert.Equal((1, 20), (gateway.Meter.Active, gateway.Meter.Count("proxygateway.recovery.duration")));
        client.Leave();
        await GatewayFixture.EventuallyAsync(() => agent.Subscribers == 0 && gateway.Meter.Active == 0, "all should be let go");
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "recovered")));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task AgentRestartsOnItsPort_ClientIsKeptWithHeartbeatsAndGoesOn(Wire wire)
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.Say("before");
        await using var gateway = await AgentSetup.StartAsync(agent.Address, s => s.Global(("HeartbeatInterval", "00:00:00.05")));
        await using var client = await EventListener.OpenAsync(gateway, wire);
        await client.EventuallyAsync(c => c.Conversation.Count == 1, "the state should come");

        await agent.StopAsync();
        var soFar = client.Text.Length;
        await client.EventuallyAsync(c => c.Text[soFar..].Split(": keepalive\n").Length > 3, "heartbeats should come");
        await agent.RestartAsync();
        await GatewayFixture.EventuallyAsync(() => agent.Subscribers == 1, "the gateway should be back");
        agent.Say("after");
        await client.EventuallyAsync(c => c.Conversation is ["before", "after"], "the stream should go on");

        Assert.Null(client.Ending);
        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("agent").Cluster.Status);
        Assert.Contains(gateway.Log.All, l => l.Contains("event stream of route agent goes on", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task AgentStaysAway_StreamEndsWithItsErrorEventAndWithoutTerminator(Wire wire)
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.Say("before");
        await using var gateway = await AgentSetup.StartAsync(agent.Address, ("Reconnect:Timeout", "00:00:00.3"));
        await using var client = await EventListener.OpenAsync(gateway, wire);
        await client.EventuallyAsync(c => c.Conversation.Count == 1, "the state should come");

        await agent.StopAsync();
        await client.EndsAsync();

        Assert.Equal("broken", client.Ending);
        Assert.Equal(["The upstream broke off in the middle of the answer."], client.Errors);
        Assert.Equal("agent_error", client.Events[^1].EventType);
        await GatewayFixture.EventuallyAsync(() => gateway.Meter.Active == 0, "the exchange should be over");
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "terminated")));
        await agent.RestartAsync();
    }

    [Fact]
    public async Task AgentBeginsAnotherConversation_StreamEndsSoThatTheClientBeginsAnew()
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.Say("one");
        agent.Say("two");
        await using var gateway = await AgentSetup.StartAsync(agent.Address);
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Conversation.Count == 2, "the state should come");

        await agent.StopAsync();
        await agent.RestartAsync(keepState: false);
        agent.Say("another conversation");
        await client.EndsAsync();

        Assert.Equal("broken", client.Ending);
        await using var again = await EventListener.OpenAsync(gateway);
        await again.EventuallyAsync(c => c.Conversation is ["another conversation"], "a new stream should tell the new state");
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ClientLeaves_AgentIsLetGoAndNobodyIsBlamed(Wire wire)
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address, ("CircuitBreaker:FailureThreshold", "1"));
        var client = await EventListener.OpenAsync(gateway, wire);
        await client.EventuallyAsync(c => c.Events.Count == 1, "the state should come");
        Assert.Equal(1, gateway.Meter.Active);

        await client.DisposeAsync();

        await GatewayFixture.EventuallyAsync(() => agent.Subscribers == 0 && gateway.Meter.Active == 0, "all should be let go");
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")));
        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("agent").Cluster.Status);
        Assert.Empty(gateway.Log.Exchanges);
    }

    [Fact]
    public async Task ClientLeavesWhileTheAgentIsAway_NoFurtherTry()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address);
        var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Events.Count == 1, "the state should come");
        await agent.StopAsync();
        await GatewayFixture.EventuallyAsync(() => gateway.Meter.Count("proxygateway.upstream.attempts") > 2, "it should be tried again");

        await client.DisposeAsync();
        await GatewayFixture.EventuallyAsync(() => gateway.Meter.Active == 0, "the exchange should be over");
        await agent.RestartAsync();

        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "client_gone")));
        Assert.Equal(1, agent.Subscriptions);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task GatewayDrains_EndlessStreamsEndAtOnceAndWithoutAnErrorEvent(Wire wire)
    {
        await using var agent = await FakeAgent.StartAsync();
        var gateway = await AgentSetup.StartAsync(agent.Address, s => s["Gateway:Drain:Timeout"] = "00:00:30");
        await using var client = await EventListener.OpenAsync(gateway, wire);
        await client.EventuallyAsync(c => c.Events.Count == 1, "the state should come");

        var began = DateTime.UtcNow;
        await gateway.DisposeAsync();

        Assert.InRange(DateTime.UtcNow - began, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        await client.EndsAsync();
        Assert.Equal(("broken", 0), (client.Ending, client.Errors.Count));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")));
    }

    [Fact]
    public async Task SilentAgent_IsWaitedForBeyondYarpsOwnLimitAndTheClientGetsHeartbeats()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(
            agent.Address, s => s.Global(("HeartbeatInterval", "00:00:00.05")), ("HttpRequest:ActivityTimeout", "00:00:00.2"));
        await using var client = await EventListener.OpenAsync(gateway);

        await client.EventuallyAsync(c => c.Text.Split(": keepalive\n").Length > 12, "heartbeats should come");
        agent.Say("at last");
        await client.EventuallyAsync(c => c.Conversation is ["at last"], "the stream should go on");

        Assert.Equal(1, agent.Subscriptions);
    }

    [Fact]
    public async Task IdleLimit_StreamIsTakenUpAnewAndTheClientNoticesNothing()
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.Say("hello");
        await using var gateway = await AgentSetup.StartAsync(agent.Address, ("Reconnect:Idle", "00:00:00.1"));
        await using var client = await EventListener.OpenAsync(gateway);

        await GatewayFixture.EventuallyAsync(() => agent.Subscriptions >= 4, "it should be taken up anew");

        Assert.Equal((2, null), (client.Events.Count, client.Ending));
    }

    [Fact]
    public async Task IdAndRetryFields_ArePassedOnAndUsedForTheReconnect()
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.ExtraField = "id: 7\nretry: 20";
        agent.Say("hello");
        await using var gateway = await AgentSetup.StartAsync(agent.Address);
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Events.Count == 2, "the state should come");
        Assert.Contains("id: 7\nretry: 20\nevent: message_update\n", client.Text, StringComparison.Ordinal);

        agent.Cut();
        await GatewayFixture.EventuallyAsync(() => agent.Subscriptions == 2, "it should be taken up again");

        Assert.Equal(["", "7"], agent.Requests.Select(r => r.Headers["Last-Event-ID"].ToString()));
    }

    [Fact]
    public async Task SeveralAgents_ReconnectGoesToTheSame()
    {
        await using var first = await FakeAgent.StartAsync();
        await using var second = await FakeAgent.StartAsync();
        first.Say("I am the first");
        second.Say("I am the second");
        await using var gateway = await AgentSetup.StartAsync(
            first.Address,
            s => s["ReverseProxy:Clusters:agent:Destinations:b:Address"] = second.Address.ToString(),
            ("LoadBalancingPolicy", "RoundRobin"));
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Conversation.Count == 1, "the state should come");
        var (mine, other) = first.Subscriptions == 1 ? (first, second) : (second, first);

        for (var i = 0; i < 5; i++)
        {
            mine.Cut();
            await GatewayFixture.EventuallyAsync(() => mine.Subscribers == 1 && mine.Subscriptions == i + 2, "it should come back to the same");
        }

        Assert.Equal(0, other.Subscriptions);
    }

    [Fact]
    public async Task NobodyListens_502AsAProblemAndAfterFiveTimesTheCircuitIsOpen()
    {
        using var nobody = new RefusingEndpoint();
        await using var gateway = await AgentSetup.StartAsync(nobody.Address);
        for (var i = 0; i < 5; i++)
        {
            await using var refused = await EventListener.OpenAsync(gateway);
            await refused.EndsAsync();
            Assert.Equal((HttpStatusCode.BadGateway, "application/problem+json"), (refused.Status, refused.Response.Content.Headers.ContentType!.MediaType));
            Assert.Contains("\"detail\":\"The upstream could not be reached.\"", refused.Text, StringComparison.Ordinal);
            Assert.Contains("\"code\":\"upstream_unreachable\"", refused.Text, StringComparison.Ordinal);
        }

        await using var open = await EventListener.OpenAsync(gateway);
        await open.EndsAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, open.Status);
        Assert.NotNull(open.Response.Headers.RetryAfter);
        Assert.Equal(5, gateway.Meter.Count("proxygateway.upstream.attempts"));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "rejected")));
    }

    [Fact]
    public async Task ForbiddenHost_AgentsAnswerPassesUnchanged()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address, s => s["ReverseProxy:Clusters:agent:Destinations:a:Host"] = "elsewhere.example");
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EndsAsync();

        Assert.Equal((HttpStatusCode.BadRequest, "clean"), (client.Status, client.Ending));
        Assert.Equal("Invalid host header. Allowed hosts: localhost, 127.0.0.1, [::1]\n", client.Text);
    }

    [Fact]
    public async Task RecoverySwitchedOff_FirstCutEndsTheStreamVisibly()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address, s => s.Global(("Enabled", "false")));
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Events.Count == 1, "the state should come");

        agent.Cut();
        await client.EndsAsync();

        Assert.Equal(("broken", 1, 1), (client.Ending, client.Errors.Count, agent.Subscriptions));
    }

    [Fact]
    public async Task EventBeyondTheLimit_StreamEndsVisibly()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address, s => s.Global(("MaxEventBytes", "2048")));
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Events.Count == 1, "the state should come");

        agent.Say(new string('x', 4096));
        await client.EndsAsync();

        Assert.Equal("broken", client.Ending);
        Assert.Equal(["The upstream sent an event that is too large."], client.Errors);
        Assert.Equal(1, agent.Subscriptions);
    }

    [Fact]
    public async Task CircuitShutByHandWhileAway_AgentIsLeftAloneUntilItIsOpenedAgain()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address);
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Events.Count == 1, "the state should come");
        var circuit = gateway.Circuits.Get("agent").Cluster;

        circuit.Isolate();
        agent.Cut();
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(1, agent.Subscriptions);
        circuit.Reset();
        await GatewayFixture.EventuallyAsync(() => agent.Subscriptions == 2, "it should be taken up again");

        Assert.Null(client.Ending);
    }
}
