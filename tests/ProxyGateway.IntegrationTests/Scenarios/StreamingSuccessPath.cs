using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class StreamingSuccessPath
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task HealthyUpstream_ArrivesAsItWasSent(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, ClientEnding.Clean), (result.Status, result.Ending));
        Assert.Equal("text/event-stream", result.Header("Content-Type"));
        Assert.Equal("no-cache", result.Header("Cache-Control"));
        Assert.Null(result.Header("Content-Length"));
        if (wire == Wire.Http1)
        {
            Assert.Equal("chunked", result.Header("Transfer-Encoding"));
        }

        var chunks = result.Chunks();
        Assert.All(chunks, c => Assert.Equal("chat.completion.chunk", c.GetProperty("object").GetString()));
        Assert.Equal("assistant", Delta(chunks[0]).GetProperty("role").GetString());
        Assert.Equal(Agents.Words, chunks.Skip(1).SkipLast(1).Select(c => Delta(c).GetProperty("content").GetString()));
        Assert.Equal("stop", chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.True(result.IsDone());
        Assert.Equal(("primary", "1", "none"), (result.Header("x-gateway-cluster"), result.Header("x-gateway-attempts"), result.Header("x-gateway-recovery")));
        Assert.Equal(Agents.WholeStream, result.Body);
        await gateway.AssertContractAsync(result);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")));
        Assert.Empty(gateway.Log.Exchanges);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task OrdinaryServer_ArrivesAsItWasSent(Wire wire)
    {
        using var server = OrdinaryServer.Streaming(Agents.WholeStream);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", new Uri(server.Urls[0])));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, ClientEnding.Clean), (result.Status, result.Ending));
        Assert.Equal(Agents.WholeStream, result.Body);
        Assert.Single(server.LogEntries);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task Http2Upstream_ArrivesAsItWasSent(Wire wire)
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeStream, result.Body);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task NotAskedToStream_AnswerArrivesAsItWasSent(Wire wire)
    {
        using var server = OrdinaryServer.Answering(Agents.WholeAnswer);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", new Uri(server.Urls[0])));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(stream: false));

        Assert.Equal((200, ClientEnding.Clean), (result.Status, result.Ending));
        Assert.Equal(Agents.WholeAnswer, result.Body);
    }

    private static System.Text.Json.JsonElement Delta(System.Text.Json.JsonElement chunk) => chunk.GetProperty("choices")[0].GetProperty("delta");
}
