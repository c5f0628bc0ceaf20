using System.Diagnostics;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>One span per exchange, one per attempt, each until the end of its stream.</summary>
[Collection(nameof(AloneCollection))]
public sealed class TraceTests
{
    private const string ClientTrace = "0af7651916cd43dd8448eb211c80319c";

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task SplicedStream_HasASpanPerAttemptAndTheReplayLinksToWhatItReplays(Wire wire)
    {
        using var spans = new RecordedSpans();
        await using var upstream = ScriptedUpstream.Start(
            Agents.Started(5).Delay(TimeSpan.FromMilliseconds(300)).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Global(("ModelLabels:0", "m*")));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(prompt: "a secret prompt"), c => c with { Headers = [.. c.Headers, new("traceparent", $"00-{ClientTrace}-b7ad6b7169203331-01")] });

        Assert.Equal(Agents.WholeText, result.Text());
        await GatewayFixture.EventuallyAsync(() => spans.Exchanges.Count == 1, "the exchange's span did not end");
        var exchange = spans.Exchanges[0];
        Assert.Equal("exchange chat", exchange.DisplayName);
        Assert.Equal(ClientTrace, exchange.TraceId.ToHexString());
        Assert.Equal(("recovered", 2, "replay", "primary"), (Tag(exchange, "proxygateway.outcome"), exchange.GetTagItem("proxygateway.attempts"), Tag(exchange, "proxygateway.recovery"), Tag(exchange, "proxy.cluster.id")));
        Assert.Equal(ActivityStatusCode.Unset, exchange.Status);
        Assert.Equal(["fault", "recovery"], exchange.Events.Select(e => e.Name));
        Assert.Equal("ended_early", exchange.Events.First().Tags.Single(t => t.Key == "reason").Value);

        var (streamed, replay) = (spans.Attempts[0], spans.Attempts[1]);
        Assert.All(spans.Attempts, a => Assert.Equal(exchange.SpanId, a.ParentSpanId));
        Assert.Equal("chat m*", streamed.DisplayName);
        Assert.Equal(("chat", "openai", "m*", true), (Tag(streamed, "gen_ai.operation.name"), Tag(streamed, "gen_ai.provider.name"), Tag(streamed, "gen_ai.request.model"), streamed.GetTagItem("gen_ai.request.stream")));
        Assert.Equal(("failed", "ended_early", "a"), (Tag(streamed, "proxygateway.attempt.result"), Tag(streamed, "error.type"), Tag(streamed, "proxy.destination.id")));
        Assert.Equal(ActivityStatusCode.Error, streamed.Status);
        // Its headers and words came at once; it ended when its stream did.
        Assert.InRange(streamed.Duration, TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(5));
        Assert.InRange((double)streamed.GetTagItem("gen_ai.response.time_to_first_chunk")!, 0.00001, streamed.Duration.TotalSeconds - 0.2);
        Assert.Equal(("complete", "non_streaming", 7L, 5L), (Tag(replay, "proxygateway.attempt.result"), Tag(replay, "proxygateway.attempt.mode"), replay.GetTagItem("gen_ai.usage.input_tokens"), replay.GetTagItem("gen_ai.usage.output_tokens")));
        Assert.Empty(streamed.Links);
        Assert.Equal(streamed.SpanId, Assert.Single(replay.Links).Context.SpanId);
        Assert.DoesNotContain("secret", string.Join(' ', spans.Attempts.Append(exchange).SelectMany(s => s.TagObjects).Select(t => t.Value?.ToString())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TerminatedStream_IsAnErrorWithItsReason()
    {
        using var spans = new RecordedSpans();
        await using var upstream = ScriptedUpstream.Start(Agents.Started(5).ThenReset());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Global(("Enabled", "false")));

        var result = await gateway.StreamAsync();

        Assert.Equal("upstream_truncated", result.ErrorCode());
        await GatewayFixture.EventuallyAsync(() => spans.Exchanges.Count == 1, "the exchange's span did not end");
        var exchange = spans.Exchanges[0];
        Assert.Equal(("terminated", "ended_early", ActivityStatusCode.Error), (Tag(exchange, "proxygateway.outcome"), Tag(exchange, "error.type"), exchange.Status));
        Assert.Null(spans.Attempts[0].GetTagItem("gen_ai.request.model"));
        Assert.Equal("chat", spans.Attempts[0].DisplayName);
    }

    [Fact]
    public async Task ClientWithoutATrace_BeginsOne()
    {
        using var spans = new RecordedSpans();
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        Assert.Equal(ClientEnding.Clean, (await gateway.StreamAsync()).Ending);

        await GatewayFixture.EventuallyAsync(() => spans.Exchanges.Count == 1, "the exchange's span did not end");
        Assert.Equal(default, spans.Exchanges[0].ParentSpanId);
        Assert.True(spans.Exchanges[0].Recorded);
    }

    private static string? Tag(Activity span, string name) => (string?)span.GetTagItem(name);
}
