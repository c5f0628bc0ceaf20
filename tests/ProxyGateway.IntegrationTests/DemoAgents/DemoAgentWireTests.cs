using System.Text.Json;
using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.IntegrationTests.DemoAgents;

public sealed class DemoAgentWireTests : IAsyncLifetime
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "/v1/messages";

    private readonly List<DemoCall> _calls = [];
    private DemoAgent _agent = null!;

    public async ValueTask InitializeAsync() =>
        _agent = await DemoAgent.StartAsync(new DemoAgentOptions { Tokens = 10, OnCall = _calls.Add }, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _agent.DisposeAsync();

    [Fact]
    public async Task Good_WholeAnswerWithRoleFinishReasonAndDone()
    {
        var response = await StreamAsync("demo-good");

        Assert.Equal(200, response.Status);
        Assert.Contains("Content-Type: text/event-stream", response.Head, StringComparison.Ordinal);
        Assert.Equal(WireEnding.Terminator, response.Ending);
        var events = response.Events;
        Assert.Equal(13, events.Length);
        Assert.Equal("assistant", Delta(events[0]).GetProperty("role").GetString());
        Assert.Equal(10, Text(events).Split(' ').Length);
        Assert.Equal("stop", Choice(events[11]).GetProperty("finish_reason").GetString());
        Assert.Equal("data: [DONE]", events[12]);
        Assert.Equal(DemoCallOutcome.Answered, Assert.Single(_calls).Outcome);
    }

    [Fact]
    public async Task SameRequestNonStreaming_SameText()
    {
        var stream = await StreamAsync("demo-reset-3");
        var whole = await StreamAsync("demo-good");
        var answer = await NonStreamingAsync("demo-reset-3");

        Assert.Equal(WireEnding.Terminator, answer.Ending);
        var text = AnswerText(answer);
        Assert.Equal(Text(whole.Events), text);
        Assert.StartsWith(Text(stream.Events), text, StringComparison.Ordinal);
        Assert.Equal((2, 1), (_agent.StreamingRequests, _agent.NonStreamingRequests));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(10)]
    public async Task Reset_TcpResetAfterExactlyNWholeContentEvents(int n)
    {
        var response = await StreamAsync($"demo-reset-{n}");

        Assert.Equal(WireEnding.Reset, response.Ending);
        Assert.Equal(n + 1, response.Events.Length);
        Assert.EndsWith("\n\n", response.Body, StringComparison.Ordinal);
        Assert.Equal((DemoCallOutcome.Reset, n), (_calls[0].Outcome, _calls[0].ContentEventsSent));
    }

    [Fact]
    public async Task Reset_BytesBeforeItAreNeverLost()
    {
        for (var i = 0; i < 50; i++)
        {
            var response = await StreamAsync("demo-reset-9");

            Assert.Equal((WireEnding.Reset, 10), (response.Ending, response.Events.Length));
        }
    }

    [Fact]
    public async Task Clean_BodyEndsWithTerminatorButWithoutTerminal()
    {
        var response = await StreamAsync("demo-clean-4");

        Assert.Equal(WireEnding.Terminator, response.Ending);
        Assert.Equal(5, response.Events.Length);
        Assert.DoesNotContain("[DONE]", response.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("\"finish_reason\":\"", response.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_HalfAnEventThenFinWithoutTerminator()
    {
        var response = await StreamAsync("demo-half-4");

        Assert.Equal(WireEnding.Fin, response.Ending);
        Assert.Equal(6, response.Events.Length);
        Assert.False(response.Body.EndsWith('\n'));
        Assert.StartsWith("data: {", response.Events[5], StringComparison.Ordinal);
        Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(response.Events[5]["data: ".Length..]));
    }

    [Fact]
    public async Task Stall_SilenceOnAnOpenConnection()
    {
        var response = await StreamAsync("demo-stall-4", silence: TimeSpan.FromMilliseconds(400));

        Assert.Equal(WireEnding.Silence, response.Ending);
        Assert.Equal(5, response.Events.Length);
        Assert.Equal(DemoCallOutcome.Stalled, _calls[0].Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Refuse_503WithRetryAfterInEitherMode(bool streaming)
    {
        var response = streaming ? await StreamAsync("demo-refuse-7") : await NonStreamingAsync("demo-refuse-7");

        Assert.Equal(503, response.Status);
        Assert.Contains("Retry-After: 7", response.Head, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(response.Body).RootElement.GetProperty("error").ValueKind);
    }

    [Fact]
    public async Task Slow_FirstContentLate()
    {
        var started = TimeProvider.System.GetTimestamp();
        var response = await StreamAsync("demo-slow-300");

        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(290));
        Assert.Equal(13, response.Events.Length);
    }

    [Fact]
    public async Task Error_InBandErrorEventLastAndCleanEnd()
    {
        var response = await StreamAsync("demo-error-4");

        Assert.Equal(WireEnding.Terminator, response.Ending);
        Assert.Equal(6, response.Events.Length);
        Assert.True(JsonDocument.Parse(response.Events[5]["data: ".Length..]).RootElement.TryGetProperty("error", out _));
    }

    [Fact]
    public async Task Diverge_ReplayHasAnotherTextFromTheFirstWordOn()
    {
        var stream = await StreamAsync("demo-diverge-4");
        var replay = AnswerText(await NonStreamingAsync("demo-diverge-4"));

        Assert.Equal(WireEnding.Reset, stream.Ending);
        Assert.NotEqual(Text(stream.Events).Split(' ')[0], replay.Split(' ')[0]);
        Assert.Equal(10, replay.Split(' ').Length);
    }

    [Fact]
    public async Task Tool_DiesWithinTheArgumentsAndTheReplayContinuesThem()
    {
        var stream = await StreamAsync("demo-tool-5");
        var replay = Message(await NonStreamingAsync("demo-tool-5")).GetProperty("tool_calls")[0].GetProperty("function");

        Assert.Equal(WireEnding.Reset, stream.Ending);
        var delivered = Arguments(stream.Events);
        var whole = replay.GetProperty("arguments").GetString()!;
        Assert.StartsWith(delivered, whole, StringComparison.Ordinal);
        Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(delivered));
        Assert.Equal(JsonValueKind.String, JsonDocument.Parse(whole).RootElement.GetProperty("query").ValueKind);
    }

    [Fact]
    public async Task IncludeUsage_OneUsageChunkBeforeDone()
    {
        var response = await RawHttpClient.PostAsync(
            _agent.Address, Chat,
            """{"model":"demo-good","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello"}]}""");

        var usage = JsonDocument.Parse(response.Events[^2]["data: ".Length..]).RootElement;
        Assert.Equal(0, usage.GetProperty("choices").GetArrayLength());
        Assert.Equal(10, usage.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task NotJson_400()
    {
        var response = await RawHttpClient.PostAsync(_agent.Address, Chat, "{\"model\":");

        Assert.Equal(400, response.Status);
        Assert.Empty(_calls);
    }

    [Fact]
    public async Task AnthropicGood_WholeGrammar()
    {
        var response = await StreamAsync("demo-good", Messages);

        var names = response.Events.Select(e => e.Split('\n')[0]["event: ".Length..]).ToArray();
        Assert.Equal(["message_start", "content_block_start", "ping"], names[..3]);
        Assert.All(names[3..13], name => Assert.Equal("content_block_delta", name));
        Assert.Equal(["content_block_stop", "message_delta", "message_stop"], names[13..]);
        var whole = JsonDocument.Parse((await NonStreamingAsync("demo-good", Messages)).Body).RootElement;
        var text = string.Concat(response.Events[3..13].Select(AnthropicDelta).Select(d => d.GetProperty("text").GetString()));
        Assert.Equal(whole.GetProperty("content")[0].GetProperty("text").GetString(), text);
    }

    [Fact]
    public async Task AnthropicTool_ReplayedInputContinuesTheDeliveredJson()
    {
        var stream = await StreamAsync("demo-tool-5", Messages);
        var whole = JsonDocument.Parse((await NonStreamingAsync("demo-tool-5", Messages)).Body).RootElement.GetProperty("content")[0];

        Assert.Equal(WireEnding.Reset, stream.Ending);
        var delivered = string.Concat(stream.Events[3..].Select(AnthropicDelta).Select(d => d.GetProperty("partial_json").GetString()));
        Assert.Equal(4, stream.Events[3..].Length);
        Assert.StartsWith(delivered, whole.GetProperty("input").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnthropicError_NamedErrorEvent()
    {
        var response = await StreamAsync("demo-error-2", Messages);

        Assert.StartsWith("event: error\ndata: {\"type\":\"error\"", response.Events[^1], StringComparison.Ordinal);
    }

    private Task<WireResponse> StreamAsync(string model, string path = Chat, TimeSpan? silence = null) =>
        RawHttpClient.PostAsync(_agent.Address, path, Request(model, true), silence);

    private Task<WireResponse> NonStreamingAsync(string model, string path = Chat) =>
        RawHttpClient.PostAsync(_agent.Address, path, Request(model, false));

    private static string Request(string model, bool stream) =>
        $$"""{"model":"{{model}}","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"system","content":"s"},{"role":"user","content":"Tell me a story"}]}""";

    private static JsonElement Choice(string e) =>
        JsonDocument.Parse(e["data: ".Length..]).RootElement.GetProperty("choices")[0];

    private static JsonElement Delta(string e) => Choice(e).GetProperty("delta");

    private static JsonElement Message(WireResponse response) =>
        JsonDocument.Parse(response.Body).RootElement.GetProperty("choices")[0].GetProperty("message");

    private static string AnswerText(WireResponse response) => Message(response).GetProperty("content").GetString()!;

    private static JsonElement AnthropicDelta(string e) =>
        JsonDocument.Parse(e.Split('\n')[1]["data: ".Length..]).RootElement.GetProperty("delta");

    private static string Text(string[] events) => string.Concat(events
        .Where(e => e != "data: [DONE]")
        .Select(e => Delta(e).TryGetProperty("content", out var content) ? content.GetString() : ""));

    private static string Arguments(string[] events) => string.Concat(events[1..]
        .Select(e => Delta(e).GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString()));
}
