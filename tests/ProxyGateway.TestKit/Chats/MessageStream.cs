namespace ProxyGateway.TestKit.Chats;

/// <summary>Builds what an Anthropic-compatible server sends and what its clients ask.</summary>
public static class MessageStream
{
    public const string Id = "msg_1";
    public const string Ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    public const string Done = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    public const string Overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";

    /// <summary>The gateway's loud ending.</summary>
    public const string GatewayError = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"upstream failed mid-stream\"}}\n\n";

    public static byte[] ErrorBody { get; } = "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"no\"}}"u8.ToArray();

    public static byte[] Request(bool stream = true) =>
        Chat.Bytes($"{{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]{(stream ? ",\"stream\":true" : "")}}}");

    public static string Start(string id = Id, string model = "m") =>
        Event("message_start", $",\"message\":{{\"id\":\"{id}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"{model}\",\"content\":[],\"usage\":{{\"input_tokens\":3,\"output_tokens\":1}}}}");

    public static string Begin(int index, string block) => Event("content_block_start", $",\"index\":{index},\"content_block\":{{{block}}}");

    public static string BeginText(int index) => Begin(index, "\"type\":\"text\",\"text\":\"\"");

    public static string BeginThinking(int index) => Begin(index, "\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"");

    public static string BeginTool(int index, string id, string name, string type = "tool_use") =>
        Begin(index, $"\"type\":\"{type}\",\"id\":\"{id}\",\"name\":\"{name}\",\"input\":{{}}");

    public static string Text(int index, string text) => Delta(index, "text_delta", $"\"text\":{Json.Quote(text)}");

    public static string Think(int index, string text) => Delta(index, "thinking_delta", $"\"thinking\":{Json.Quote(text)}");

    public static string Sign(int index, string signature = "c2ln") => Delta(index, "signature_delta", $"\"signature\":{Json.Quote(signature)}");

    public static string Input(int index, string json) => Delta(index, "input_json_delta", $"\"partial_json\":{Json.Quote(json)}");

    public static string Cite(int index, string citation) => Delta(index, "citations_delta", $"\"citation\":{citation}");

    public static string Delta(int index, string type, string members) => Event("content_block_delta", $",\"index\":{index},\"delta\":{{\"type\":\"{type}\",{members}}}");

    public static string End(int index) => Event("content_block_stop", $",\"index\":{index}");

    public static string Stop(string reason = "end_turn", int tokens = 5) =>
        Event("message_delta", $",\"delta\":{{\"stop_reason\":\"{reason}\",\"stop_sequence\":null}},\"usage\":{{\"output_tokens\":{tokens}}}");

    public static string Event(string type, string members) => $"event: {type}\ndata: {{\"type\":\"{type}\"{members}}}\n\n";

    /// <summary>A whole text block.</summary>
    public static string TextBlock(int index, params string[] pieces) => BeginText(index) + string.Concat(pieces.Select(p => Text(index, p))) + End(index);

    public static string ThinkingBlock(int index, params string[] pieces) =>
        BeginThinking(index) + string.Concat(pieces.Select(p => Think(index, p))) + Sign(index) + End(index);

    public static string ToolBlock(int index, string id, string name, params string[] pieces) =>
        BeginTool(index, id, name) + string.Concat(pieces.Select(p => Input(index, p))) + End(index);

    /// <summary>A whole message, not streamed.</summary>
    /// <param name="blocks">The content blocks as JSON.</param>
    public static byte[] Message(string id, string? stop, params string[] blocks) => Chat.Bytes(
        $"{{\"id\":{Json.Quote(id)},\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[{string.Join(',', blocks)}],"
        + $"\"stop_reason\":{(stop is null ? "null" : Json.Quote(stop))},\"stop_sequence\":null,\"usage\":{{\"input_tokens\":3,\"output_tokens\":5}}}}");

    public static byte[] Answer(params string[] blocks) => Message("msg_2", "end_turn", blocks);

    public static string WholeText(string text) => $"{{\"type\":\"text\",\"text\":{Json.Quote(text)}}}";

    public static string WholeThinking(string text, string signature = "b3RoZXI=") => $"{{\"type\":\"thinking\",\"thinking\":{Json.Quote(text)},\"signature\":{Json.Quote(signature)}}}";

    public static string WholeTool(string id, string name, string input, string type = "tool_use") =>
        $"{{\"type\":\"{type}\",\"id\":{Json.Quote(id)},\"name\":{Json.Quote(name)},\"input\":{input}}}";
}
