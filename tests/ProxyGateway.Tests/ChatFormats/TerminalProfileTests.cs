using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats;

/// <summary>
/// What a cluster's <c>Terminal</c> makes of a stream that has text and then a finish reason, an end marker, both or neither, and whose
/// body then ends cleanly. Formats that have one end only take no notice of it.
/// </summary>
public sealed class TerminalProfileTests
{
    private static readonly Dictionary<string, (string Request, string Path, string Text, string Finish, string? Marker)> Streams = new()
    {
        ["openai-chat"] = (
            """{"stream":true}""", "/v1/chat/completions",
            Sse("""{"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"""),
            Sse("""{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""),
            Sse("[DONE]")),
        ["openai-completions"] = (
            """{"stream":true,"prompt":"x"}""", "/v1/completions",
            Sse("""{"id":"c","choices":[{"index":0,"text":"hi","finish_reason":null}]}"""),
            Sse("""{"id":"c","choices":[{"index":0,"text":"","finish_reason":"stop"}]}"""),
            Sse("[DONE]")),
        ["anthropic-messages"] = (
            """{"stream":true}""", "/v1/messages",
            Typed("message_start", "\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}")
                + Typed("content_block_start", "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}")
                + Typed("content_block_delta", "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}")
                + Typed("content_block_stop", "\"index\":0"),
            Typed("message_delta", "\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}"),
            Typed("message_stop", "\"x\":0")),
        ["openai-responses"] = (
            """{"stream":true}""", "/v1/responses",
            Typed("response.created", "\"sequence_number\":0,\"response\":{\"id\":\"r\",\"object\":\"response\",\"status\":\"in_progress\",\"output\":[]}")
                + Typed("response.output_item.added", "\"sequence_number\":1,\"output_index\":0,\"item\":{\"id\":\"i\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}")
                + Typed("response.content_part.added", "\"sequence_number\":2,\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[]}")
                + Typed("response.output_text.delta", "\"sequence_number\":3,\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":\"hi\""),
            Typed("response.completed", "\"sequence_number\":4,\"response\":{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":[{\"id\":\"i\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"hi\",\"annotations\":[]}]}]}"),
            Sse("[DONE]")),
        ["gemini"] = (
            "{}", "/v1beta/models/m:streamGenerateContent?alt=sse",
            Sse("""{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"index":0}]}"""),
            Sse("""{"candidates":[{"content":{"parts":[{"text":"."}],"role":"model"},"finishReason":"STOP","index":0}]}"""),
            null),
        ["ollama"] = (
            """{"model":"m"}""", "/api/chat",
            """{"model":"m","created_at":"t","message":{"role":"assistant","content":"hi"},"done":false}""" + "\n",
            """{"model":"m","created_at":"t","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}""" + "\n",
            """{"model":"m","created_at":"t","message":{"role":"assistant","content":""},"done":true}""" + "\n"),
        ["a2a"] = (
            """{"jsonrpc":"2.0","id":1,"method":"message/stream","params":{}}""", "/",
            Sse("""{"jsonrpc":"2.0","id":1,"result":{"kind":"artifact-update","taskId":"t","contextId":"c","artifact":{"artifactId":"a","parts":[{"kind":"text","text":"hi"}]}}}"""),
            Sse("""{"jsonrpc":"2.0","id":1,"result":{"kind":"status-update","taskId":"t","contextId":"c","status":{"state":"completed"},"final":true}}"""),
            null),
    };

    [Fact]
    public void EveryChatFormat_IsHere() => Assert.Equal(ChatFormatRegistry.Names.Order(), Streams.Keys.Order());

    /// <remarks>Ollama's last line is both; what it may lack is the reason.</remarks>
    [Theory]
    [InlineData("openai-chat", "Auto", true, true, true)]
    [InlineData("openai-chat", "FinishReason", true, false, true)]
    [InlineData("openai-chat", "Done", false, true, true)]
    [InlineData("openai-chat", "Either", true, true, true)]
    [InlineData("openai-completions", "Auto", true, true, true)]
    [InlineData("openai-completions", "FinishReason", true, false, true)]
    [InlineData("openai-completions", "Done", false, true, true)]
    [InlineData("openai-completions", "Either", true, true, true)]
    [InlineData("anthropic-messages", "Auto", true, true, true)]
    [InlineData("anthropic-messages", "FinishReason", true, false, true)]
    [InlineData("anthropic-messages", "Done", false, true, true)]
    [InlineData("anthropic-messages", "Either", true, true, true)]
    [InlineData("openai-responses", "Auto", true, false, true)]
    [InlineData("openai-responses", "FinishReason", true, false, true)]
    [InlineData("openai-responses", "Done", false, true, true)]
    [InlineData("openai-responses", "Either", true, true, true)]
    [InlineData("ollama", "Auto", true, true, true)]
    [InlineData("ollama", "FinishReason", true, false, true)]
    [InlineData("ollama", "Done", true, true, true)]
    [InlineData("ollama", "Either", true, true, true)]
    [InlineData("gemini", "Auto", true, false, true)]
    [InlineData("gemini", "FinishReason", true, false, true)]
    [InlineData("gemini", "Done", true, false, true)]
    [InlineData("gemini", "Either", true, false, true)]
    [InlineData("a2a", "Auto", true, false, true)]
    [InlineData("a2a", "FinishReason", true, false, true)]
    [InlineData("a2a", "Done", true, false, true)]
    [InlineData("a2a", "Either", true, false, true)]
    public void StreamIsComplete_WhereTheProfileSaysSo(string format, string profile, bool finishAlone, bool markerAlone, bool both)
    {
        var (request, path, text, finish, marker) = Streams[format];
        var exchange = new GuardedStream(ChatFormatRegistry.Find(format)!, request, path);
        var terminal = Enum.Parse<TerminalProfile>(profile);

        Assert.Equal(
            (false, finishAlone, markerAlone, both),
            (IsComplete(text), IsComplete(text + finish), IsComplete(text + marker), IsComplete(text + finish + marker)));

        bool IsComplete(string stream) => exchange.Run(stream, terminal: terminal).State == GuardState.Done;
    }

    [Fact]
    public void GeminiThatFinishesWithEveryEvent_GoesOnToTheEndOfItsBodyWhereTheProfileIsDone()
    {
        var (request, path, _, finish, _) = Streams["gemini"];
        var exchange = new GuardedStream(ChatFormatRegistry.Find("gemini")!, request, path);

        var whole = exchange.Run(finish + finish + finish, terminal: TerminalProfile.Done);
        var cut = exchange.Run(finish + finish, end: StreamingFallback.Telemetry.FaultKind.ConnectionReset, terminal: TerminalProfile.Done);

        Assert.Equal((GuardState.Flowing, GuardState.Done, finish + finish + finish), (whole.BeforeEnd, whole.State, whole.Text));
        Assert.Equal(GuardState.Faulted, cut.State);
    }

    private static string Sse(string data) => $"data: {data}\n\n";

    private static string Typed(string type, string members) => $"event: {type}\ndata: {{\"type\":\"{type}\",{members}}}\n\n";
}
