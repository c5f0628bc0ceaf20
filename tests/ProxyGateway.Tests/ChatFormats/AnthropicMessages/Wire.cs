using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>Events of a message stream as they stand on the wire.</summary>
internal static class Wire
{
    public const string Ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    public const string MessageStop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

    public static readonly string MessageStart = Event("""{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":11,"output_tokens":1}}}""");

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public static string Event(string json) => $"event: {JsonNode.Parse(json)!["type"]}\ndata: {json}\n\n";

    public static string Start(int index, string block) => Event($$$"""{"type":"content_block_start","index":{{{index}}},"content_block":{{{block}}}}""");

    public static string StartText(int index) => Start(index, """{"type":"text","text":""}""");

    public static string StartTool(int index, string name = "look_up", string id = "toolu_1", string type = "tool_use") =>
        Start(index, $$$"""{"type":"{{{type}}}","id":"{{{id}}}","name":"{{{name}}}","input":{}}""");

    public static string Delta(int index, string delta) => Event($$$"""{"type":"content_block_delta","index":{{{index}}},"delta":{{{delta}}}}""");

    public static string Text(int index, string text) => Delta(index, $$"""{"type":"text_delta","text":{{JsonSerializer.Serialize(text)}}}""");

    public static string Thinking(int index, string text) => Delta(index, $$"""{"type":"thinking_delta","thinking":{{JsonSerializer.Serialize(text)}}}""");

    public static string Signature(int index, string text) => Delta(index, $$"""{"type":"signature_delta","signature":{{JsonSerializer.Serialize(text)}}}""");

    public static string Input(int index, string json) => Delta(index, $$"""{"type":"input_json_delta","partial_json":{{JsonSerializer.Serialize(json)}}}""");

    public static string Stop(int index) => Event($$"""{"type":"content_block_stop","index":{{index}}}""");

    public static string MessageDelta(string reason = "end_turn", int tokens = 5) =>
        Event($$$"""{"type":"message_delta","delta":{"stop_reason":"{{{reason}}}","stop_sequence":null},"usage":{"output_tokens":{{{tokens}}}}}""");

    public static string End(string reason = "end_turn") => MessageDelta(reason) + MessageStop;

    /// <summary>A whole non-streaming body with these content blocks.</summary>
    public static byte[] Answer(string content, string reason = "end_turn") => Utf8($$$"""
        {"id":"msg_replay","type":"message","role":"assistant","model":"claude-b","content":[{{{content}}}],
         "stop_reason":"{{{reason}}}","stop_sequence":null,"usage":{"input_tokens":12,"cache_read_input_tokens":3,"output_tokens":7}}
        """);
}
