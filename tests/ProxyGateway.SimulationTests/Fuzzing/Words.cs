using System.Text;

namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>The dictionaries: what the formats are made of, and what breaks parsers.</summary>
internal static class Words
{
    public static readonly byte[] Interesting = [.. "\"\\{}[]:, \n\r\t0-9eE.+tfnau/*"u8, 0, 0x7F, 0x80, 0xBF, 0xC0, 0xC3, 0xED, 0xEF, 0xF0, 0xFE, 0xFF];

    public static readonly byte[][] LineEnds = Of("\n", "\r", "\r\n", "\n\n", "\r\r", "\n\r", "\r\n\r\n");

    public static readonly byte[][] Spaces = Of(" ", "\t", "  ", "\r", "\n", "\r\n", "\uFEFF", "\v", "\u00A0", "/**/", "//\n");

    /// <summary>In front of an event.</summary>
    public static readonly byte[][] Fields = Of(
        ": c\n", ":\n", "id: 1\n", "id\n", "retry: 5\n", "event: message\n", "event:\n", "event: error\n", "event: ping\n", "event: content_block_delta\n", "event: response.completed\n",
        "data\n", "data:\n", "data: \n", "data:  \n", "database: x\n", "Data: x\n", " data: x\n", "\uFEFF", "\0", "x\n");

    public static readonly byte[][] Events = Of(
        "\n", "\n\n", ": c\n\n", "data: [DONE]\n\n", "data:[DONE]\n\n", "data: [DONE] \n\n", "data\n\n", "data: \n\n", "data: {oops\n\n", "data: {}\n\n", "data: []\n\n", "data: null\n\n", "data: 1\n\n",
        "data: {\"error\":{\"message\":\"m\"}}\n\n", "data: {\"error\":null}\n\n", "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n", "data: {\"choices\":[]}\n\n", "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n", "retry: 1\n\n", "<html>\n\n");

    public static readonly byte[][] Lines = Of("\n", "\r\n", "{}\n", "{oops\n", "null\n", "[]\n", "{\"error\":\"no\"}\n", "{\"done\":true}\n", "{\"message\":{},\"done\":false}\n", " \n", "{\"message\":{\"content\":\"x\"},\"done\":false}");

    public static readonly byte[][] Values = Of(
        "null", "true", "false", "0", "1", "2", "-1", "1e0", "1.5", "1e999", "-0", "01", "2147483647", "2147483648", "9223372036854775808", "123456789012345678901234567890",
        "\"\"", "\"a\"", "\" \"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00x\"", "\"\u00e9\u20ac\U0001F600\"", "\"\\n\\r\\\"\\\\\\/\\b\\f\\t\"", "\"\u2028\u2029\u0085\"",
        "{}", "[]", "[null]", "[[]]", "{\"a\":1}", "{\"a\":1,\"a\":2}", "{\"\":{}}", "\"{\\\"a\\\":1}\"", "\"{\\\"a\\\":\"", "\"stop\"", "\"length\"", "\"tool_calls\"", "\"assistant\"", "\"text\"", "\"tool_use\"",
        "\"function\"", "\"message\"", "\"completed\"", "\"failed\"", "\"incomplete\"", "\"STOP\"", "\"end_turn\"", "\"thinking\"", "\"input_json_delta\"", "\"text_delta\"", "\"signature_delta\"", "\"function_call\"", "\"reasoning\"",
        "\"error\"", "\"artifact-update\"", "\"status-update\"", "\"task\"", "NaN", "'a'", "undefined", "\"unterminated", "\"\\u00\"", "\"\\x\"", "/*c*/1",
        new string('[', 70) + new string(']', 70), string.Concat(Enumerable.Repeat("{\"a\":", 70)) + "1" + new string('}', 70), new string('[', 600), "\"" + new string('y', 700) + "\"", "\"" + new string('\u00e9', 90) + "\"");

    public static readonly byte[][] Names = Of(
        "\"\"", "\"id\"", "\"model\"", "\"stream\"", "\"stream_options\"", "\"include_usage\"", "\"n\"", "\"choices\"", "\"index\"", "\"delta\"", "\"message\"", "\"content\"", "\"role\"", "\"finish_reason\"", "\"tool_calls\"",
        "\"function\"", "\"name\"", "\"arguments\"", "\"reasoning\"", "\"reasoning_content\"", "\"refusal\"", "\"usage\"", "\"error\"", "\"type\"", "\"text\"", "\"content_block\"", "\"partial_json\"", "\"thinking\"",
        "\"signature\"", "\"stop_reason\"", "\"stop_sequence\"", "\"item\"", "\"item_id\"", "\"output_index\"", "\"content_index\"", "\"summary_index\"", "\"part\"", "\"response\"", "\"output\"", "\"status\"", "\"sequence_number\"",
        "\"candidates\"", "\"parts\"", "\"functionCall\"", "\"args\"", "\"finishReason\"", "\"thought\"", "\"willContinue\"", "\"done\"", "\"done_reason\"", "\"result\"", "\"kind\"", "\"artifact\"", "\"artifactId\"", "\"append\"",
        "\"lastChunk\"", "\"final\"", "\"state\"", "\"method\"", "\"params\"", "\"jsonrpc\"", "\"mod\\u0065l\"", "\"str\\u0065am\"", "\"Stream\"", "\"\\ud800\"", "name");

    /// <summary>Inside a string.</summary>
    public static readonly byte[][] InStrings =
    [
        .. Of("\\u0000", "\\u000a", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\", "\\\"", "\"", "\\u", "\\u12", "\u00e9", "\U0001F600", "\u2028", "\n", "\r\n", "\0", "\t", "{\\\"a\\\":", "}", " "),
        [0xC3], [0xE2, 0x82], [0xF0, 0x9F], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80],
    ];

    /// <summary>Whole characters, as a string may hold them.</summary>
    public static readonly byte[][] Characters = Of("a", " ", "\u00e9", "\U0001F600", "\\u00e9", "\\ud83d\\ude00", "\\n", "\\u000d\\u000a", "\\\"", "\\\\", "\\/", "\u2028", "data: [DONE]", "\\u0000", "{\\\"a\\\":1}");

    public static readonly byte[][] All = [.. LineEnds, .. Spaces, .. Fields, .. Events, .. Lines, .. Values, .. Names, .. InStrings];

    private static byte[][] Of(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];
}
