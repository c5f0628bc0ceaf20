using System.Text.Json;

namespace ProxyGateway.DemoAgents;

/// <summary>OpenAI chat completions.</summary>
internal sealed class OpenAIChatFormat : AnswerFormat
{
    private const long Created = 1_700_000_000;

    public override ReadOnlyMemory<byte> ErrorEvent { get; } =
        """data: {"error":{"message":"The demo agent failed on request.","type":"server_error","param":null,"code":"demo_error"}}"""u8
            .ToArray().Concat("\n\n"u8.ToArray()).ToArray();

    public override byte[] ErrorBody(string type, string message) => StreamRendering.Json(json =>
    {
        json.WriteStartObject("error");
        json.WriteString("message", message);
        json.WriteString("type", type);
        json.WriteNull("param");
        json.WriteNull("code");
        json.WriteEndObject();
    });

    public override RenderedStream Stream(AnswerContent answer)
    {
        using var stream = new StreamRendering();
        Chunk(stream, answer, null, delta =>
        {
            delta.WriteString("role", "assistant");
            delta.WriteString("content", "");
        });
        stream.ContentStarts();
        if (answer.ToolCall)
        {
            Chunk(stream, answer, null, delta => ToolCalls(delta, answer, ""));
            foreach (var piece in DemoText.ArgumentPieces(answer.PromptHash, answer.Tokens))
            {
                Chunk(stream, answer, null, delta => ToolCallRest(delta, piece));
            }
        }
        else
        {
            foreach (var token in DemoText.Tokens(answer.PromptHash, answer.Tokens, answer.OtherText))
            {
                Chunk(stream, answer, null, delta => delta.WriteString("content", token));
            }
        }

        stream.ContentEnds();
        Chunk(stream, answer, FinishReason(answer), static _ => { });
        if (answer.IncludeUsage)
        {
            stream.Event(null, json =>
            {
                Head(json, answer, "chat.completion.chunk");
                json.WriteStartArray("choices");
                json.WriteEndArray();
                Usage(json, answer);
            });
        }

        stream.EndEvent("data: [DONE]\n\n"u8);
        return stream.Build();
    }

    public override byte[] Body(AnswerContent answer) => StreamRendering.Json(json =>
    {
        Head(json, answer, "chat.completion");
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        if (answer.ToolCall)
        {
            json.WriteNull("content");
            ToolCalls(json, answer, DemoText.Join(DemoText.ArgumentPieces(answer.PromptHash, answer.Tokens)));
        }
        else
        {
            json.WriteString("content", DemoText.Join(DemoText.Tokens(answer.PromptHash, answer.Tokens, answer.OtherText)));
        }

        json.WriteNull("refusal");
        json.WriteEndObject();
        json.WriteNull("logprobs");
        json.WriteString("finish_reason", FinishReason(answer));
        json.WriteEndObject();
        json.WriteEndArray();
        Usage(json, answer);
    });

    /// <summary>The body of <c>GET /v1/models</c>.</summary>
    public static byte[] Models() => StreamRendering.Json(static json =>
    {
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (var kind in Enum.GetValues<DemoBehaviorKind>())
        {
            json.WriteStartObject();
            json.WriteString("id", "demo-" + new DemoBehavior(kind));
            json.WriteString("object", "model");
            json.WriteNumber("created", Created);
            json.WriteString("owned_by", "demo");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void Chunk(StreamRendering stream, AnswerContent answer, string? finishReason, Action<Utf8JsonWriter> delta) =>
        stream.Event(null, json =>
        {
            Head(json, answer, "chat.completion.chunk");
            json.WriteStartArray("choices");
            json.WriteStartObject();
            json.WriteNumber("index", 0);
            json.WriteStartObject("delta");
            delta(json);
            json.WriteEndObject();
            json.WriteNull("logprobs");
            json.WriteString("finish_reason", finishReason);
            json.WriteEndObject();
            json.WriteEndArray();
            if (answer.IncludeUsage)
            {
                json.WriteNull("usage");
            }
        });

    private static void Head(Utf8JsonWriter json, AnswerContent answer, string type)
    {
        json.WriteString("id", "chatcmpl-" + answer.Id);
        json.WriteString("object", type);
        json.WriteNumber("created", Created);
        json.WriteString("model", answer.Model);
    }

    private static void ToolCalls(Utf8JsonWriter json, AnswerContent answer, string arguments)
    {
        json.WriteStartArray("tool_calls");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        json.WriteString("id", "call_" + answer.Id);
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", ToolName);
        json.WriteString("arguments", arguments);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void ToolCallRest(Utf8JsonWriter json, string arguments)
    {
        json.WriteStartArray("tool_calls");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        json.WriteStartObject("function");
        json.WriteString("arguments", arguments);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static string FinishReason(AnswerContent answer) => answer.ToolCall ? "tool_calls" : "stop";

    private static void Usage(Utf8JsonWriter json, AnswerContent answer)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", answer.PromptTokens);
        json.WriteNumber("completion_tokens", answer.Tokens);
        json.WriteNumber("total_tokens", answer.PromptTokens + answer.Tokens);
        json.WriteEndObject();
    }
}
