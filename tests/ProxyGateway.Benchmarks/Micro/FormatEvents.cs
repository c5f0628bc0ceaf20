using System.Globalization;
using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.A2A;

namespace ProxyGateway.Benchmarks.Micro;

/// <summary>An answer of text as servers of each format send it, with everything in it that changes from event to event.</summary>
internal static class FormatEvents
{
    public const int Count = 10_000;

    public static IEnumerable<string> Formats => ChatFormatRegistry.Names;

    public static ChatRequest Request { get; } = new() { Streaming = true, Rpc = new JsonRpcCall("1"u8.ToArray(), JsonRpcCall.MessageStream, default) };

    /// <summary>What stands before the text.</summary>
    public static byte[][] Opening(string format) => [.. (format switch
    {
        "openai-chat" => new[] { Sse("""{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""") },
        "anthropic-messages" =>
        [
            Sse("""{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-x","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}""", "message_start"),
            Sse("""{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""", "content_block_start"),
        ],
        "openai-responses" =>
        [
            Sse("""{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1700000000,"status":"in_progress","model":"m","output":[]}}""", "response.created"),
            Sse("""{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}""", "response.output_item.added"),
            Sse("""{"type":"response.content_part.added","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}""", "response.content_part.added"),
        ],
        "a2a" =>
        [
            Sse("""{"jsonrpc":"2.0","id":1,"result":{"kind":"task","id":"t-1","contextId":"c-1","status":{"state":"working"}}}"""),
            Sse("""{"jsonrpc":"2.0","id":1,"result":{"kind":"artifact-update","taskId":"t-1","contextId":"c-1","artifact":{"artifactId":"a-1","parts":[{"kind":"text","text":"word"}]},"append":false,"lastChunk":false}}"""),
        ],
        _ => [],
    }).Select(Encoding.UTF8.GetBytes)];

    public static byte[] Text(string format, int i)
    {
        var word = $" word{i % 977}";
        return Encoding.UTF8.GetBytes(format switch
        {
            "openai-chat" => Sse($$"""{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"{{word}}"},"finish_reason":null}]}"""),
            "openai-completions" => Sse($$"""{"id":"cmpl-1","object":"text_completion","created":1700000000,"choices":[{"text":"{{word}}","index":0,"logprobs":null,"finish_reason":null}],"model":"m"}"""),
            "anthropic-messages" => Sse($$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{{{word}}}"}}""", "content_block_delta"),
            "openai-responses" => Sse($$"""{"type":"response.output_text.delta","sequence_number":{{i + 3}},"item_id":"msg_1","output_index":0,"content_index":0,"delta":"{{word}}","logprobs":[],"obfuscation":"{{new string('x', i % 13)}}"}""", "response.output_text.delta"),
            "gemini" => Sse($$$"""{"candidates":[{"content":{"parts":[{"text":"{{{word}}}"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":{{{i}}},"totalTokenCount":{{{i + 9}}} },"modelVersion":"gemini-x","responseId":"r-1"}"""),
            "ollama" => $$"""{"model":"llama3.2","created_at":"{{new DateTime(2026, 1, 1).AddMilliseconds(i * 17).ToString("O", CultureInfo.InvariantCulture)}}Z","message":{"role":"assistant","content":"{{word}}"},"done":false}""" + "\n",
            "a2a" => Sse($$$"""{"jsonrpc":"2.0","id":1,"result":{"kind":"artifact-update","taskId":"t-1","contextId":"c-1","artifact":{"artifactId":"a-1","parts":[{"kind":"text","text":"{{{word}}}"}]},"append":true,"lastChunk":false}}"""),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
        });
    }

    private static string Sse(string json, string? type = null) => (type is null ? "" : $"event: {type}\n") + $"data: {json}\n\n";
}
