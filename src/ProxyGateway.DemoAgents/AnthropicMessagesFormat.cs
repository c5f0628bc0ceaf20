using System.Text.Json;

namespace ProxyGateway.DemoAgents;

/// <summary>Anthropic messages.</summary>
internal sealed class AnthropicMessagesFormat : AnswerFormat
{
    public override ReadOnlyMemory<byte> ErrorEvent { get; } =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"The demo agent failed on request.\"}}\n\n"u8.ToArray();

    public override byte[] ErrorBody(string type, string message) => StreamRendering.Json(json =>
    {
        json.WriteString("type", "error");
        json.WriteStartObject("error");
        json.WriteString("type", type);
        json.WriteString("message", message);
        json.WriteEndObject();
    });

    public override RenderedStream Stream(AnswerContent answer)
    {
        using var stream = new StreamRendering();
        Event(stream, "message_start", json =>
        {
            json.WriteStartObject("message");
            Head(json, answer);
            json.WriteStartArray("content");
            json.WriteEndArray();
            json.WriteNull("stop_reason");
            json.WriteNull("stop_sequence");
            Usage(json, answer, outputTokens: 1);
            json.WriteEndObject();
        });
        if (answer.ToolCall)
        {
            Ping(stream);
            // The start of a tool_use block names the tool, so it already is content.
            stream.ContentStarts();
            BlockStart(stream, json => ToolUseHead(json, answer));
            foreach (var piece in DemoText.ArgumentPieces(answer.PromptHash, answer.Tokens))
            {
                Delta(stream, "input_json_delta", "partial_json", piece);
            }
        }
        else
        {
            BlockStart(stream, static json =>
            {
                json.WriteString("type", "text");
                json.WriteString("text", "");
            });
            Ping(stream);
            stream.ContentStarts();
            foreach (var token in DemoText.Tokens(answer.PromptHash, answer.Tokens, answer.OtherText))
            {
                Delta(stream, "text_delta", "text", token);
            }
        }

        stream.ContentEnds();
        Event(stream, "content_block_stop", static json => json.WriteNumber("index", 0));
        Event(stream, "message_delta", json =>
        {
            json.WriteStartObject("delta");
            json.WriteString("stop_reason", StopReason(answer));
            json.WriteNull("stop_sequence");
            json.WriteEndObject();
            json.WriteStartObject("usage");
            json.WriteNumber("output_tokens", answer.Tokens);
            json.WriteEndObject();
        });
        Event(stream, "message_stop", static _ => { });
        return stream.Build();
    }

    public override byte[] Body(AnswerContent answer) => StreamRendering.Json(json =>
    {
        Head(json, answer);
        json.WriteStartArray("content");
        json.WriteStartObject();
        if (answer.ToolCall)
        {
            json.WriteString("type", "tool_use");
            json.WriteString("id", "toolu_" + answer.Id);
            json.WriteString("name", ToolName);
            json.WritePropertyName("input");
            json.WriteRawValue(DemoText.Join(DemoText.ArgumentPieces(answer.PromptHash, answer.Tokens)), skipInputValidation: true);
        }
        else
        {
            json.WriteString("type", "text");
            json.WriteString("text", DemoText.Join(DemoText.Tokens(answer.PromptHash, answer.Tokens, answer.OtherText)));
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("stop_reason", StopReason(answer));
        json.WriteNull("stop_sequence");
        Usage(json, answer, answer.Tokens);
    });

    private static void Event(StreamRendering stream, string type, Action<Utf8JsonWriter> write) => stream.Event(type, json =>
    {
        json.WriteString("type", type);
        write(json);
    });

    private static void Ping(StreamRendering stream) => Event(stream, "ping", static _ => { });

    private static void BlockStart(StreamRendering stream, Action<Utf8JsonWriter> block) => Event(stream, "content_block_start", json =>
    {
        json.WriteNumber("index", 0);
        json.WriteStartObject("content_block");
        block(json);
        json.WriteEndObject();
    });

    private static void Delta(StreamRendering stream, string type, string property, string text) => Event(stream, "content_block_delta", json =>
    {
        json.WriteNumber("index", 0);
        json.WriteStartObject("delta");
        json.WriteString("type", type);
        json.WriteString(property, text);
        json.WriteEndObject();
    });

    private static void ToolUseHead(Utf8JsonWriter json, AnswerContent answer)
    {
        json.WriteString("type", "tool_use");
        json.WriteString("id", "toolu_" + answer.Id);
        json.WriteString("name", ToolName);
        json.WriteStartObject("input");
        json.WriteEndObject();
    }

    private static void Head(Utf8JsonWriter json, AnswerContent answer)
    {
        json.WriteString("id", "msg_" + answer.Id);
        json.WriteString("type", "message");
        json.WriteString("role", "assistant");
        json.WriteString("model", answer.Model);
    }

    private static string StopReason(AnswerContent answer) => answer.ToolCall ? "tool_use" : "end_turn";

    private static void Usage(Utf8JsonWriter json, AnswerContent answer, int outputTokens)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", answer.PromptTokens);
        json.WriteNumber("output_tokens", outputTokens);
        json.WriteEndObject();
    }
}
