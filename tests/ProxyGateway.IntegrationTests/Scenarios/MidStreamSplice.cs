using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class MidStreamSplice
{
    [Theory]
    [InlineData(Wire.Http1, 1)]
    [InlineData(Wire.Http2, 1)]
    [InlineData(Wire.Http1, 5)]
    [InlineData(Wire.Http2, 5)]
    [InlineData(Wire.Http1, 9)]
    [InlineData(Wire.Http2, 9)]
    public async Task UpstreamDies_ClientGetsTheReplaysTextAsOneMessage(Wire wire, int words)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(words).ThenReset(), UpstreamScript.Json(Agents.Other.Completion(Agents.WholeText)));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, ClientEnding.Clean), (result.Status, result.Ending));
        Assert.Equal(Agents.WholeText, result.Text());
        var choices = result.Chunks().SelectMany(c => c.GetProperty("choices").EnumerateArray()).ToList();
        Assert.Single(choices, c => c.GetProperty("delta").TryGetProperty("role", out _));
        Assert.Single(choices, c => c.GetProperty("finish_reason").ValueKind == System.Text.Json.JsonValueKind.String);
        Assert.Single(result.Data(), d => d == "[DONE]");
        Assert.Single(result.Chunks().Select(c => (c.GetProperty("id").GetString(), c.GetProperty("model").GetString(), c.GetProperty("created").GetInt64())).Distinct());
        Assert.Equal([true, false], upstream.Exchanges.Select(e => e.AsksForStream));
        await gateway.AssertContractAsync(result);
        Assert.Contains("exchange recovered: route chat, cluster primary, fault ended_early at content", Assert.Single(gateway.Log.Exchanges), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ReplayHasAnotherText_ErrorEventAndNothingAppended(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(5).ThenReset(), UpstreamScript.Json(Chat.Default.Completion("A different story.")));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(string.Concat(Agents.Words.Take(5)), result.Text());
        Assert.Equal("upstream_truncated", result.ErrorCode());
        Assert.DoesNotContain("[DONE]", result.Text, StringComparison.Ordinal);
        await gateway.AssertContractAsync(result);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.divergences"));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task FirstReplayHasAnotherText_FallbackThatContinuesItIsSpliced(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(5).ThenReset(), UpstreamScript.Json(Chat.Default.Completion("A different story.")));
        await using var droid = ScriptedUpstream.Start(UpstreamScript.Json(Agents.Other.Completion(Agents.WholeText)));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.False(Assert.Single(droid.Exchanges).AsksForStream);
        await gateway.AssertContractAsync(result);
    }
}
