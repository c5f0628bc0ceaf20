using System.Text;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;

namespace ProxyGateway.IntegrationTests.Endurance;

/// <summary>One chat format in the soak: how it is asked and what an agent answers.</summary>
/// <param name="Events">A whole stream that says these words.</param>
/// <param name="Answer">A whole answer that says this text.</param>
/// <param name="Request">A request's body for a stream, or not for one; null where the soak asks for streams only.</param>
internal sealed record SoakFormat(string Name, string Path, string Target, Func<string[], string[]> Events, Func<string, byte[]> Answer, Func<bool, byte[]?> Request, byte[] ErrorBody)
{
    private static readonly byte[] OpenAIError = Chat.ErrorBody();

    public static IReadOnlyList<SoakFormat> All { get; } =
    [
        new("openai-chat", "/v1/chat/completions", "/v1/chat/completions", words => [.. Chat.Default.Events([ChatChoice.Of(words)])], text => Chat.Default.Completion(text), stream => Chat.Default.Request(stream), OpenAIError),
        new("anthropic-messages", "/v1/messages", "/v1/messages", Messages, text => MessageStream.Answer(MessageStream.WholeText(text)), MessageStream.Request, MessageStream.ErrorBody),
        new("openai-responses", "/v1/responses", "/v1/responses", Responses, text => ResponseStream.Whole("run2", "completed", ResponseStream.WholeMessage(0, "output_text", text)), ResponseStream.Request, ResponseStream.ErrorBody),
        new("openai-completions", "/v1/completions", "/v1/completions", Completions, text => Completion(text), stream => Chat.Bytes($"{{\"model\":\"m\",\"prompt\":\"hi\"{(stream ? ",\"stream\":true" : "")}}}"), OpenAIError),
        new("ollama", "/api/chat", "/api/chat", words => [.. words.Select(w => OllamaLine(w, false)), OllamaLine("", true)], text => Encoding.UTF8.GetBytes(OllamaLine(text, true)),
            stream => Chat.Bytes($"{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}],\"stream\":{(stream ? "true" : "false")}}}"), "{\"error\":\"no\"}"u8.ToArray()) { ContentType = "application/x-ndjson" },
        new("gemini", "/v1beta/models/{**rest}", "/v1beta/models/g:streamGenerateContent?alt=sse", words => [.. words.Select(w => GeminiEvent(w, null)), GeminiEvent("", "STOP")], text => Chat.Bytes(Gemini(text, "STOP")),
            stream => stream ? "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]}"u8.ToArray() : null, "{\"error\":{\"code\":503,\"message\":\"no\",\"status\":\"UNAVAILABLE\"}}"u8.ToArray()) { AsksForStream = e => e.Target.Contains(":stream", StringComparison.Ordinal) },
        new("a2a", "/a2a", "/a2a", Task, TaskAnswer, stream => stream ? "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"message/stream\",\"params\":{\"message\":{\"role\":\"user\",\"parts\":[{\"kind\":\"text\",\"text\":\"hi\"}]}}}"u8.ToArray() : null,
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32603,\"message\":\"no\"}}"u8.ToArray()) { AsksForStream = e => e.Body.AsSpan().IndexOf("message/stream"u8) >= 0 },
    ];

    public string ContentType { get; init; } = "text/event-stream";

    public Func<RecordedExchange, bool> AsksForStream { get; init; } = e => e.AsksForStream;

    public AttemptRecord ToAttempt(RecordedExchange exchange, string cluster, bool isFallback) => exchange.ToAttempt(cluster, isFallback) with
    {
        Kind = AsksForStream(exchange) ? AttemptKind.Streaming : AttemptKind.NonStreaming,
        RequestTarget = exchange.Target,
    };

    private static string[] Messages(string[] words) =>
        [MessageStream.Start(), MessageStream.BeginText(0), .. words.Select(w => MessageStream.Text(0, w)), MessageStream.End(0), MessageStream.Stop(), MessageStream.Done];

    private static string[] Responses(string[] words)
    {
        var numbered = ResponseStream.Numbered(
        [
            ResponseStream.Created(), ResponseStream.InProgress(), .. ResponseStream.Message(0, "output_text", words),
            ResponseStream.Completed(ResponseStream.WholeMessage(0, "output_text", string.Concat(words))),
        ]);
        return [.. SseBlock.ReadAll(numbered, out _).Select(b => Encoding.UTF8.GetString(b.Raw.Span))];
    }

    private static string[] Completions(string[] words)
    {
        const string Head = "data: {\"id\":\"c-1\",\"object\":\"text_completion\",\"created\":17,\"model\":\"m\",\"choices\":[";
        return [.. words.Select(w => $"{Head}{{\"index\":0,\"text\":{Json.Quote(w)},\"finish_reason\":null}}]}}\n\n"), $"{Head}{{\"index\":0,\"text\":\"\",\"finish_reason\":\"stop\"}}]}}\n\n", Chat.Done];
    }

    private static byte[] Completion(string text) => Chat.Bytes(
        $"{{\"id\":\"c-2\",\"object\":\"text_completion\",\"created\":17,\"model\":\"m\",\"choices\":[{{\"index\":0,\"text\":{Json.Quote(text)},\"logprobs\":null,\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}}}");

    private static string OllamaLine(string text, bool done) =>
        $"{{\"model\":\"m\",\"created_at\":\"2030-01-01T00:00:00Z\",\"message\":{{\"role\":\"assistant\",\"content\":{Json.Quote(text)}}},\"done\":{(done ? "true,\"done_reason\":\"stop\",\"eval_count\":5" : "false")}}}\n";

    private static string Gemini(string text, string? finish) =>
        $"{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":{Json.Quote(text)}}}],\"role\":\"model\"}},\"index\":0{(finish is null ? "" : $",\"finishReason\":\"{finish}\"")}}}],\"modelVersion\":\"g-1\",\"responseId\":\"r-1\"}}";

    private static string GeminiEvent(string text, string? finish) => $"data: {Gemini(text, finish)}\r\n\r\n";

    private static string[] Task(string[] words) =>
    [
        Result("{\"kind\":\"task\",\"id\":\"t-1\",\"contextId\":\"c-1\",\"status\":{\"state\":\"submitted\"}}"),
        .. words.Select((w, i) => Result($"{{\"kind\":\"artifact-update\",\"taskId\":\"t-1\",\"contextId\":\"c-1\",\"artifact\":{{\"artifactId\":\"a\",\"parts\":[{{\"kind\":\"text\",\"text\":{Json.Quote(w)}}}]}}{(i > 0 ? ",\"append\":true" : "")}}}")),
        Result("{\"kind\":\"status-update\",\"taskId\":\"t-1\",\"contextId\":\"c-1\",\"status\":{\"state\":\"completed\"},\"final\":true}"),
    ];

    private static string Result(string result) => $"data: {{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{result}}}\n\n";

    private static byte[] TaskAnswer(string text) => Chat.Bytes(
        $"{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"kind\":\"task\",\"id\":\"t-2\",\"contextId\":\"c-2\",\"status\":{{\"state\":\"completed\"}},\"artifacts\":[{{\"artifactId\":\"b\",\"parts\":[{{\"kind\":\"text\",\"text\":{Json.Quote(text)}}}]}}]}}}}");
}
