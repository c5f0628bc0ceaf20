using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class StreamingToNonStreamingFallback
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task StreamFailsBeforeContent_ClientGetsTheReplayAsAStream(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(0).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(wire, Agents.OddRequest);

        Assert.Equal((200, ClientEnding.Clean, "text/event-stream"), (result.Status, result.Ending, result.Header("Content-Type")));
        Assert.Equal(Agents.WholeText, result.Text());
        Assert.True(result.IsDone());
        Assert.Equal(("2", "replay"), (result.Header("x-gateway-attempts"), result.Header("x-gateway-recovery")));
        Assert.Equal(2, upstream.RequestCount);
        Assert.Equal(Agents.OddRequest, upstream.Exchanges[0].Body);
        Assert.Equal(
            """{ "model":"m" , "x_unknown": [1.50, 1e2, "\u00e9\/"], "messages":[{"role":"user","content":"hi"}],  "stream" : false,  "temperature":0.70 }""",
            System.Text.Encoding.UTF8.GetString(upstream.Exchanges[1].Body));
        await gateway.AssertContractAsync(result, Agents.OddRequest);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "recovered")));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task StreamFailsBeforeContent_ClientGetsTheReplayAsJsonWhereTheRouteSaysSo(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(0).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Chat("primary", ("ResponseFormat", "Json")).Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, ClientEnding.Clean, "application/json"), (result.Status, result.Ending, result.Header("Content-Type")));
        Assert.Equal(Agents.WholeAnswer, result.Body);
        Assert.Equal(2, upstream.RequestCount);
        await gateway.AssertContractAsync(result, change: t => t with { JsonAllowed = true });
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(529)]
    public async Task StreamIsRefused_SameRequestGoesOutOnceMoreWithoutStreaming(int status)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Error(status), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync();

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.Equal([true, false], upstream.Exchanges.Select(e => e.AsksForStream));
        await gateway.AssertContractAsync(result);
    }
}
