using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class PartialStreamingFailure
{
    private const int N = 4;

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task UpstreamDiesWithTerminate_DeliveredChunksThenTheErrorEventAndNoDone(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(N).ThenReset());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Chat("primary", ("OnMidStreamFailure", "Terminate")).Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(200, result.Status);
        Assert.Equal(string.Concat(Agents.Words.Take(N)), result.Text());
        Assert.Equal("upstream_truncated", result.ErrorCode());
        Assert.DoesNotContain("[DONE]", result.Text, StringComparison.Ordinal);
        Assert.Equal(wire == Wire.Http1 ? ClientEnding.WithoutTerminator : ClientEnding.Http2Reset, result.Ending);
        Assert.Equal(wire == Wire.Http1 ? null : 2L, result.ResetCode);
        Assert.Equal(1, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
        var line = Assert.Single(gateway.Log.Exchanges);
        Assert.Contains("exchange terminated: route chat, cluster primary, fault ended_early at content", line, StringComparison.Ordinal);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.stream.failures", ("reason", "ended_early"), ("phase", "content"), ("proxy.cluster.id", "primary")));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "terminated")));
        Assert.DoesNotContain(gateway.Log.All, l => l.Contains("Exception", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnotherRequestOnTheSameClientConnectionPool_IsNotHarmed()
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(N).ThenReset(), UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Chat("primary", ("OnMidStreamFailure", "Terminate")).Cluster("primary", upstream));
        using var client = new HttpClient { BaseAddress = gateway.Http1 };
        var cancel = TestContext.Current.CancellationToken;

        using var first = new StringContent(System.Text.Encoding.UTF8.GetString(Chat.Default.Request()), null, "application/json");
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var response = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), first, cancel);
            await response.Content.ReadAsStringAsync(cancel);
        });
        using var second = new StringContent(System.Text.Encoding.UTF8.GetString(Chat.Default.Request()), null, "application/json");
        using var whole = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), second, cancel);

        Assert.Equal(Agents.WholeStream, await whole.Content.ReadAsByteArrayAsync(cancel));
    }
}
