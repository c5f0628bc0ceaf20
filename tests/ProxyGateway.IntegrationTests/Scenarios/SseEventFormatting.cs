using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class SseEventFormatting
{
    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, true)]
    public async Task EveryEvent_IsOneDataLineAndABlankLine(Wire wire, bool spliced)
    {
        await using var upstream = spliced
            ? ScriptedUpstream.Start(Agents.Started(4).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer))
            : ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.EndsWith("\n\n", result.Text, StringComparison.Ordinal);
        var events = result.Text.Split("\n\n")[..^1];
        Assert.All(events, e => Assert.StartsWith("data: ", e, StringComparison.Ordinal));
        Assert.All(events, e => Assert.DoesNotContain('\n', e));
        Assert.Equal("data: [DONE]", events[^1]);
        var deltas = events[..^1].Select(e => System.Text.Json.JsonDocument.Parse(e["data: ".Length..]).RootElement.GetProperty("choices")[0]).ToList();
        Assert.Equal([0], Where(deltas, c => c.GetProperty("delta").TryGetProperty("role", out _)));
        Assert.Equal([deltas.Count - 1], Where(deltas, c => c.GetProperty("finish_reason").ValueKind != System.Text.Json.JsonValueKind.Null));
        Assert.Equal(spliced ? 2 : 1, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    private static IEnumerable<int> Where(List<System.Text.Json.JsonElement> items, Func<System.Text.Json.JsonElement, bool> has) =>
        items.Select((item, i) => (item, i)).Where(x => has(x.item)).Select(x => x.i);
}
