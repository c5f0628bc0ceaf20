using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>Answers whose content type says less than their bytes.</summary>
public sealed class SingleAnswerTests
{
    [Fact]
    public async Task JsonLinesSentAsJson_AreGuardedAsAStream()
    {
        const string Line = """{"model":"m","created_at":"t","message":{"role":"assistant","content":"hi"},"done":false}""" + "\n";
        const string Last = """{"model":"m","created_at":"t","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}""" + "\n";
        await using var upstream = ScriptedUpstream.Start();
        upstream.Enqueue(
            new UpstreamScript().Head(200, "application/json").Body(Line[..40]).Body(Line[40..]).Body(Line).Body(Last).EndClean(),
            new UpstreamScript().Head(200, "application/json").Body(Line).Body(Line).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => Route(s, "ollama", "/api/chat", ("Replay", "Never")).Cluster("primary", upstream));

        var whole = await SendAsync(gateway, "/api/chat", """{"model":"m"}""");
        var cut = await SendAsync(gateway, "/api/chat", """{"model":"m"}""");

        Assert.Equal((200, Line + Line + Last), (whole.Status, whole.Text));
        Assert.StartsWith(Line + Line + "{\"error\"", cut.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonRpcErrorOfTheRequest_IsTheAgentsAnswerAndNoFailure()
    {
        const string Error = """{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Task not found"}}""";
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => UpstreamScript.Json(Encoding.UTF8.GetBytes(Error));
        await using var gateway = await GatewayFixture.StartAsync(s => Route(s, "a2a", "/a2a").Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1")));

        for (var i = 0; i < 3; i++)
        {
            var answer = await SendAsync(gateway, "/a2a", """{"jsonrpc":"2.0","id":7,"method":"message/stream","params":{}}""");
            Assert.Equal((200, Error), (answer.Status, answer.Text));
        }

        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("primary").Cluster.Status);
        Assert.Equal(3, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "relayed")));
    }

    [Fact]
    public async Task JsonRpcErrorOfTheAgent_IsAFailure()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => UpstreamScript.Json("""{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"Internal error"}}"""u8.ToArray());
        await using var gateway = await GatewayFixture.StartAsync(s => Route(s, "a2a", "/a2a").Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1")));

        Assert.Equal(502, (await SendAsync(gateway, "/a2a", """{"jsonrpc":"2.0","id":7,"method":"message/stream","params":{}}""")).Status);
        Assert.Equal(CircuitStatus.Open, gateway.Circuits.Get("primary").Cluster.Status);
    }

    [Fact]
    public async Task OwnErrorToAJsonRpcCall_RepeatsItsId()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = _ => UpstreamScript.Json("""{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"Internal error"}}"""u8.ToArray());
        await using var gateway = await GatewayFixture.StartAsync(s => Route(s, "a2a", "/a2a").Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1")));

        const string Call = """{"jsonrpc":"2.0","id":7,"method":"message/stream","params":{}}""";
        var failed = await SendAsync(gateway, "/a2a", Call);
        var refused = await SendAsync(gateway, "/a2a", Call);
        Assert.Equal((502, 503), (failed.Status, refused.Status));
        Assert.StartsWith("""{"jsonrpc":"2.0","id":7,"error":{""", failed.Text, StringComparison.Ordinal);
        Assert.StartsWith("""{"jsonrpc":"2.0","id":7,"error":{""", refused.Text, StringComparison.Ordinal);
    }

    private static GatewaySetup Route(GatewaySetup setup, string format, string path, params (string Option, string Value)[] options)
    {
        const string Route = "ReverseProxy:Routes:other:";
        setup[Route + "ClusterId"] = "primary";
        setup[Route + "Match:Path"] = path;
        setup[Route + "StreamingFallback:Format"] = format;
        foreach (var (option, value) in options)
        {
            setup[Route + "StreamingFallback:" + option] = value;
        }

        return setup;
    }

    private static Task<HttpResult> SendAsync(GatewayFixture gateway, string target, string body) =>
        gateway.SendAsync(Wire.Http1, Encoding.UTF8.GetBytes(body), c => c with { Target = target });
}
