using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.Tests.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.Hostile;

/// <summary>What a format wrote, and where.</summary>
internal sealed record Written(string Place, byte[] Bytes, StreamFraming Framing);

/// <summary>
/// One format's request, the beginning of a stream, and two answers (one from the start, one that goes on from the beginning),
/// with <c>@N@</c> in every place from which text may be taken over.
/// </summary>
internal sealed record HostileCase(string Format, string Path, string Request, string Begin, string Answer, string AnswerAfterBegin)
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\r\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Everything this format writes when <paramref name="text"/> stands in all those places.</summary>
    public List<Written> Write(string text)
    {
        var format = ChatFormatRegistry.Find(Format)!;
        var exchange = new GuardedStream(format, Fill(Request, text, Relaxed), Path);
        var begun = exchange.Run(Fill(Begin, text, Relaxed), end: FaultKind.ConnectionReset);
        Assert.NotEqual(DeliveredKind.Nothing, begun.Reader.Delivered);
        var error = new GatewayError(502, text, text);
        List<Written> all =
        [
            new("made stream", Continue(exchange, null, Fill(Answer, text, Relaxed)), format.Framing),
            new("made stream, escaped, with line ends between all tokens", Continue(exchange, null, Spread(Fill(Answer, text, null))), format.Framing),
            new("splice", Continue(exchange, begun.Reader, Spread(Fill(AnswerAfterBegin, text, Relaxed))), format.Framing),
        ];
        // A reader goes on from where it is; each of these needs a fresh one.
        all.Add(new("error event, nothing delivered", Bytes(o => format.WriteErrorEvent(error, null, null, o)), format.Framing));
        all.Add(new("error event", Bytes(o => format.WriteErrorEvent(error, null, exchange.Run(Fill(Begin, text, null), end: FaultKind.ConnectionReset).Reader, o)), format.Framing));
        // With an event behind it, for a heartbeat may be a comment line without its blank line.
        all.Add(new("heartbeat", [.. Bytes(o => format.WriteHeartbeat(exchange.Run(Fill(Begin, text, Relaxed), end: FaultKind.ConnectionReset).Reader, o)), .. Bytes(o => format.WriteErrorEvent(error, null, null, o))], format.Framing));
        all.Add(new("error body", [.. Bytes(o => format.WriteErrorBody(error, null, o)), (byte)'\n'], StreamFraming.JsonLines));
        return all;
    }

    /// <summary>A request without anything hostile in it.</summary>
    public ChatRequest NewRequest() => GuardedStream.ReadRequest(ChatFormatRegistry.Find(Format)!, Fill(Request, "x", Relaxed), Path);

    private static byte[] Continue(GuardedStream exchange, ChatStreamReader? delivered, string answer)
    {
        var (verdict, text) = exchange.Continue(delivered, answer);
        Assert.Equal(AnswerVerdict.Usable, verdict);
        return Encoding.UTF8.GetBytes(text);
    }

    private static byte[] Bytes(Action<ArrayBufferWriter<byte>> write) => Encoding.UTF8.GetBytes(FormatAsserts.Written(write));

    private static string Fill(string template, string text, JsonSerializerOptions? options) =>
        template.Replace("@N@", JsonSerializer.Serialize(text, options)[1..^1], StringComparison.Ordinal);

    /// <summary>The same JSON with line ends wherever JSON allows them.</summary>
    private static string Spread(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, Indented);
    }
}

/// <summary>The cases of all formats.</summary>
internal static class HostileCases
{
    public static readonly Dictionary<string, HostileCase> All = new HostileCase[]
    {
        new(
            "openai-chat", "/v1/chat/completions",
            """{"model":"@N@","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"@N@"}]}""",
            """data: {"id":"@N@","object":"chat.completion.chunk","created":1,"model":"@N@","system_fingerprint":"@N@","service_tier":"@N@","choices":[{"index":0,"delta":{"role":"assistant","content":"@N@"},"logprobs":null,"finish_reason":null}]}""" + "\n\n",
            """{"id":"@N@","object":"chat.completion","created":1,"model":"@N@","system_fingerprint":"@N@","service_tier":"@N@","choices":[{"index":0,"message":{"role":"assistant","content":"@N@ and on @N@","reasoning_content":"@N@","refusal":null,"annotations":[{"@N@":"@N@"}],"tool_calls":[{"id":"@N@","type":"function","function":{"name":"@N@","arguments":"{}"}}]},"logprobs":{"content":[{"token":"@N@","bytes":[1]}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"@N@":{"@N@":1}}}""",
            """{"id":"@N@","object":"chat.completion","created":1,"model":"@N@","choices":[{"index":0,"message":{"role":"assistant","content":"@N@ and on @N@","tool_calls":[{"id":"@N@","type":"function","function":{"name":"@N@","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"@N@":{"@N@":1}}}"""),
        new(
            "openai-completions", "/v1/completions",
            """{"model":"@N@","stream":true,"stream_options":{"include_usage":true},"prompt":"@N@"}""",
            """data: {"id":"@N@","object":"text_completion","created":1,"model":"@N@","system_fingerprint":"@N@","choices":[{"index":0,"text":"@N@","logprobs":null,"finish_reason":null}]}""" + "\n\n",
            """{"id":"@N@","object":"text_completion","created":1,"model":"@N@","system_fingerprint":"@N@","choices":[{"index":0,"text":"@N@ and on @N@","logprobs":{"tokens":["@N@"]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"@N@":{"@N@":1}}}""",
            """{"id":"@N@","object":"text_completion","created":1,"model":"@N@","choices":[{"index":0,"text":"@N@ and on @N@","logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"@N@":{"@N@":1}}}"""),
        new(
            "anthropic-messages", "/v1/messages",
            """{"model":"@N@","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"@N@"}]}""",
            Event("message_start", """{"type":"message_start","message":{"id":"@N@","type":"message","role":"assistant","model":"@N@","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}""")
                + Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""")
                + Event("content_block_delta", """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@N@"}}"""),
            """{"id":"@N@","type":"message","role":"assistant","model":"@N@","content":[{"type":"thinking","thinking":"@N@","signature":"@N@"},{"type":"text","text":"@N@ and on @N@","citations":[{"type":"char_location","cited_text":"@N@"}]},{"type":"tool_use","id":"@N@","name":"@N@","input":{"@N@":["@N@",{"@N@":1}]}}],"stop_reason":"stop_sequence","stop_sequence":"@N@","usage":{"input_tokens":1,"output_tokens":1,"service_tier":"@N@"}}""",
            """{"id":"@N@","type":"message","role":"assistant","model":"@N@","content":[{"type":"text","text":"@N@ and on @N@"},{"type":"tool_use","id":"@N@","name":"@N@","input":{"@N@":["@N@",{"@N@":1}]}}],"stop_reason":"stop_sequence","stop_sequence":"@N@","usage":{"input_tokens":1,"output_tokens":1,"service_tier":"@N@"}}"""),
        new(
            "openai-responses", "/v1/responses",
            """{"model":"@N@","stream":true,"store":false,"input":"@N@"}""",
            Event("response.created", """{"type":"response.created","sequence_number":0,"response":{"id":"@N@","object":"response","created_at":1,"status":"in_progress","model":"@N@","instructions":"@N@","metadata":{"@N@":"@N@"},"output":[],"usage":null}}""")
                + Event("response.output_item.added", """{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"@N@","type":"message","status":"in_progress","role":"assistant","content":[]}}""")
                + Event("response.content_part.added", """{"type":"response.content_part.added","sequence_number":2,"item_id":"@N@","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}""")
                + Event("response.output_text.delta", """{"type":"response.output_text.delta","sequence_number":3,"item_id":"@N@","output_index":0,"content_index":0,"delta":"@N@","logprobs":[]}"""),
            Response("""{"id":"@N@r","type":"reasoning","summary":[{"type":"summary_text","text":"@N@"}],"encrypted_content":"@N@"},"""),
            Response("")),
        new(
            "gemini", "/v1beta/models/gemini-x:streamGenerateContent?alt=sse",
            """{"contents":[{"role":"user","parts":[{"text":"@N@"}]}]}""",
            """data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"@N@"}]}}],"modelVersion":"@N@","responseId":"@N@"}""" + "\n\n",
            """{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"@N@","thought":true},{"text":"@N@ and on @N@","thoughtSignature":"@N@"},{"functionCall":{"id":"@N@","name":"@N@","args":{"@N@":["@N@",{"@N@":1}]}}}]},"finishReason":"STOP","citationMetadata":{"@N@":"@N@"}}],"usageMetadata":{"totalTokenCount":9,"@N@":"@N@"},"modelVersion":"@N@","responseId":"@N@"}""",
            """{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"@N@ and on @N@"},{"functionCall":{"id":"@N@","name":"@N@","args":{"@N@":["@N@",{"@N@":1}]}}}]},"finishReason":"STOP"}],"usageMetadata":{"totalTokenCount":9,"@N@":"@N@"},"modelVersion":"@N@","responseId":"@N@"}"""),
        new(
            "ollama", "/api/chat",
            """{"model":"@N@","messages":[{"role":"user","content":"@N@"}]}""",
            """{"model":"@N@","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"@N@"},"done":false}""" + "\n",
            """{"model":"@N@","created_at":"@N@","message":{"role":"assistant","content":"@N@ and on @N@","thinking":"@N@","tool_calls":[{"id":"@N@","function":{"name":"@N@","arguments":{"@N@":["@N@",{"@N@":1}]}}}]},"done_reason":"@N@","done":true,"eval_count":3,"@N@":"@N@"}""",
            """{"model":"@N@","created_at":"@N@","message":{"role":"assistant","content":"@N@ and on @N@","tool_calls":[{"id":"@N@","function":{"name":"@N@","arguments":{"@N@":["@N@",{"@N@":1}]}}}]},"done_reason":"@N@","done":true,"eval_count":3,"@N@":"@N@"}"""),
        new(
            "a2a", "/",
            """{"jsonrpc":"2.0","id":"@N@","method":"message/stream","params":{"message":{"role":"user","parts":[{"kind":"text","text":"@N@"}],"messageId":"m","kind":"message"}}}""",
            """data: {"jsonrpc":"2.0","id":"@N@","result":{"kind":"task","id":"@N@","contextId":"@N@","status":{"state":"submitted"}}}""" + "\n\n"
                + """data: {"jsonrpc":"2.0","id":"@N@","result":{"kind":"artifact-update","taskId":"@N@","contextId":"@N@","artifact":{"artifactId":"@N@","name":"@N@","parts":[{"kind":"text","text":"@N@"}]},"append":false,"lastChunk":false}}""" + "\n\n",
            Task, Task),
    }.ToDictionary(c => c.Format);

    private const string Task =
        """{"jsonrpc":"2.0","id":"@N@","result":{"kind":"task","id":"@N@","contextId":"@N@","status":{"state":"completed","timestamp":"@N@","message":{"kind":"message","role":"agent","messageId":"@N@","parts":[{"kind":"text","text":"@N@"}]}},"artifacts":[{"artifactId":"@N@","name":"@N@","parts":[{"kind":"text","text":"@N@ and on @N@"}]},{"artifactId":"@N@2","parts":[{"kind":"data","data":{"@N@":["@N@",{"@N@":1}]}}]}]}}""";

    private static string Event(string type, string data) => $"event: {type}\ndata: {data}\n\n";

    private static string Response(string first) => """{"id":"@N@","object":"response","created_at":1,"status":"completed","model":"@N@","instructions":"@N@","metadata":{"@N@":"@N@"},"output":[""" + first
        + """{"id":"@N@","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[{"type":"url_citation","url":"@N@"}],"logprobs":[],"text":"@N@ and on @N@"}]},{"id":"@N@f","type":"function_call","status":"completed","call_id":"@N@","name":"@N@","arguments":"{}"}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}""";
}
