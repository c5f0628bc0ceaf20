using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>Which upstream learns of a trace.</summary>
[Collection(nameof(AloneCollection))]
public sealed class TraceContextTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    private static readonly string[] TraceHeaders = ["traceparent", "tracestate", "baggage", "Request-Id", "Correlation-Context"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClusterThatDoesNotSaySo_LearnsNothing(bool clientSendsOne)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        Assert.Equal(200, (await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), c => clientSendsOne ? WithTrace(c) : c)).Status);

        Assert.All(TraceHeaders, h => Assert.Null(upstream.Exchanges[0].Header(h)));
    }

    [Fact]
    public async Task ClusterThatSaysSo_LearnsTheTraceAndItsFallbackDoesNot()
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Error(500));
        await using var spare = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", upstream, ("ForwardTraceContext", "true"), ("Retry:Budget", "0"), ("Retry:BudgetFloor", "0"))
            .Cluster("spare", spare)
            .Fallback("primary", "spare"));

        Assert.Equal(200, (await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), WithTrace)).Status);

        Assert.StartsWith($"00-{Trace}-", upstream.Exchanges[0].Header("traceparent"), StringComparison.Ordinal);
        Assert.All(TraceHeaders, h => Assert.Null(spare.Exchanges[0].Header(h)));
    }

    [Fact]
    public async Task SpanThatIsRecorded_IsTheUpstreamsParent()
    {
        using var spans = new RecordedSpans();
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("ForwardTraceContext", "true")));

        await gateway.StreamAsync();
        await gateway.AssertIdleAsync();

        var told = upstream.Exchanges[0].Header("traceparent")!.Split('-');
        await GatewayFixture.EventuallyAsync(() => spans.Attempts.Any(a => a.TraceId.ToHexString() == told[1]), "no span belongs to the trace that the upstream was told");
        Assert.Contains(spans.Attempts, a => a.SpanId.ToHexString() == told[2]);
    }

    [Fact]
    public async Task PlainRoute_IsHeldToItsClusterToo()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.Json("{}"u8.ToArray());
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream);
            s["ReverseProxy:Routes:plain:ClusterId"] = "primary";
            s["ReverseProxy:Routes:plain:Match:Path"] = "/plain";
        });

        Assert.Equal(200, (await gateway.SendAsync(Wire.Http1, [], c => WithTrace(c) with { Target = "/plain" })).Status);

        Assert.All(TraceHeaders, h => Assert.Null(upstream.Exchanges[0].Header(h)));
    }

    [Fact]
    public async Task Reload_OpensAndClosesTheDoor()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.Stream(Agents.WholeStream);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), WithTrace);
        await gateway.ReloadAsync(s => s["ReverseProxy:Clusters:primary:ForwardTraceContext"] = "true");
        await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), WithTrace);
        await gateway.ReloadAsync(s => s["ReverseProxy:Clusters:primary:ForwardTraceContext"] = "false");
        await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), WithTrace);

        Assert.Equal([false, true, false], upstream.Exchanges.Select(e => e.Header("traceparent") is not null));
    }

    private static HttpCall WithTrace(HttpCall call) => call with
    {
        Headers =
        [
            .. call.Headers,
            new("traceparent", $"00-{Trace}-b7ad6b7169203331-01"),
            new("tracestate", "vendor=1"),
            new("baggage", "user=ada"),
            new("Request-Id", "|abc.1."),
            new("Correlation-Context", "user=ada"),
        ],
    };
}
