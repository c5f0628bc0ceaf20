using System.Net;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.AgentApi;

/// <summary>What is sent to an agent is sent once.</summary>
public sealed class MessageTests
{
    private static readonly byte[] Hello = """{"content":"hello","type":"user"}"""u8.ToArray();

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task Message_ArrivesAsItIsAndIsAnswered(Wire wire)
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address);

        var answer = await SendAsync(gateway, wire);

        Assert.Equal((200, """{"ok":true}"""), (answer.Status, Encoding.UTF8.GetString(answer.Body)));
        Assert.Equal(Encoding.UTF8.GetString(Hello), Assert.Single(agent.Requests).Body);
        Assert.Equal("agent", answer.Header("x-gateway-cluster"));
        await GatewayFixture.EventuallyAsync(() => gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")) == 1, "it should be counted");
    }

    [Fact]
    public async Task BusyAgentFiftyTimes_500PassesUnchangedAndTheCircuitStaysClosed()
    {
        await using var agent = await FakeAgent.StartAsync();
        agent.IsBusy = true;
        await using var gateway = await AgentSetup.StartAsync(agent.Address, ("CircuitBreaker:FailureThreshold", "2"));

        for (var i = 0; i < 50; i++)
        {
            var answer = await SendAsync(gateway);
            Assert.Equal((500, "application/problem+json"), (answer.Status, answer.Header("Content-Type")));
            Assert.Contains("waiting for user input", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        }

        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("agent").Cluster.Status);
        Assert.Equal(50, agent.Requests.Count);
        Assert.Empty(gateway.Log.Exchanges);
    }

    [Fact]
    public async Task UpstreamResets_502AsAProblemAndNothingIsSentTwice()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await AgentSetup.StartAsync(upstream.Address, ("CircuitBreaker:FailureThreshold", "3"));

        for (var i = 1; i <= 3; i++)
        {
            var answer = await SendAsync(gateway);
            Assert.Equal((502, "application/problem+json"), (answer.Status, answer.Header("Content-Type")));
            Assert.Contains("\"code\":\"upstream_truncated\"", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
            Assert.Equal(i, upstream.RequestCount);
        }

        Assert.Equal((503, CircuitStatus.Open), ((await SendAsync(gateway)).Status, gateway.Circuits.Get("agent").Cluster.Status));
        Assert.Equal(3, upstream.RequestCount);
    }

    [Fact]
    public async Task AnswerBreaksOff_ClientNotices()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = new UpstreamScript().Head(200, "application/json").Body("{\"ok\"").CloseWithoutTerminator();
        await using var gateway = await AgentSetup.StartAsync(upstream.Address);

        var answer = await SendAsync(gateway);

        Assert.Equal(200, answer.Status);
        Assert.Equal(ClientEnding.WithoutTerminator, answer.Ending);
        Assert.Equal(1, upstream.RequestCount);
    }

    [Fact]
    public async Task SlowAgent_IsWaitedForUntilTheHeaderClockAndThen504()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.NeverAnswer;
        await using var gateway = await AgentSetup.StartAsync(upstream.Address, ("Timeouts:ResponseHeaders", "00:00:00.2"));

        Assert.Equal(504, (await SendAsync(gateway)).Status);
        Assert.Equal(1, upstream.RequestCount);
    }

    [Fact]
    public async Task OtherRoutes_AreYarpsOwnWithOriginAndPreflightAsAgentapiAnswersThem()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address);
        using var http = new HttpClient();
        using var preflight = new HttpRequestMessage(HttpMethod.Options, new Uri(gateway.Http1, "/message"));
        preflight.Headers.Add("Origin", "http://localhost:3000");

        var answer = await http.SendAsync(preflight, TestContext.Current.CancellationToken);
        var messages = await http.GetAsync(new Uri(gateway.Http1, "/messages"), TestContext.Current.CancellationToken);
        var missing = await http.GetAsync(new Uri(gateway.Http1, "/nothing"), TestContext.Current.CancellationToken);

        Assert.Equal("http://localhost:3000", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (messages.StatusCode, missing.StatusCode));
        Assert.All(agent.Requests, r => Assert.Equal(agent.Address.Authority, r.Headers.Host.ToString()));
        Assert.Equal(0, gateway.Meter.Count("proxygateway.request.duration"));
    }

    [Fact]
    public async Task TooManyHops_508()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address);

        var answer = await SendAsync(gateway, change: c => c with { Headers = [.. c.Headers, new("x-gateway-hops", "4")] });

        Assert.Equal((508, "application/problem+json", 0), (answer.Status, answer.Header("Content-Type"), agent.Requests.Count));
    }

    [Fact]
    public async Task ClusterIsFull_503()
    {
        await using var agent = await FakeAgent.StartAsync();
        await using var gateway = await AgentSetup.StartAsync(agent.Address, ("Concurrency:Limit", "1"), ("Concurrency:Queue", "0"));
        await using var client = await EventListener.OpenAsync(gateway);
        await client.EventuallyAsync(c => c.Events.Count == 1, "the state should come");

        var answer = await SendAsync(gateway);

        Assert.Equal((503, "1"), (answer.Status, answer.Header("Retry-After")));
        client.Leave();
        await GatewayFixture.EventuallyAsync(() => gateway.Meter.Active == 0, "the stream should be over");
        Assert.Equal(200, (await SendAsync(gateway)).Status);
    }

    private static Task<HttpResult> SendAsync(GatewayFixture gateway, Wire wire = Wire.Http1, Func<HttpCall, HttpCall>? change = null) =>
        gateway.SendAsync(wire, Hello, c => change?.Invoke(c with { Target = "/message" }) ?? c with { Target = "/message" });
}
