namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>Healthy streams, each with a whole answer that says the same in other bytes.</summary>
internal static class FixtureStreams
{
    public static readonly string Text =
        Wire.MessageStart + Wire.StartText(0) + Wire.Ping + Wire.Text(0, "Grüße, ") + Wire.Text(0, "Welt 🌍") + Wire.Ping
        + Wire.Text(0, "! \"quoted\"\nnew line") + Wire.Stop(0) + Wire.End();

    public static readonly byte[] TextAnswer = Wire.Answer("""{"type":"text","text":"Gr\u00fc\u00dfe, Welt \ud83c\udf0d! \"quoted\"\nnew line"}""");

    /// <summary>Thinking, text, two calls in flight one after the other.</summary>
    public static readonly string Tools =
        Wire.MessageStart + Wire.Start(0, """{"type":"thinking","thinking":"","signature":""}""") + Wire.Thinking(0, "The user ") + Wire.Thinking(0, "asks.")
        + Wire.Signature(0, "c2ln") + Wire.Stop(0) + Wire.StartText(1) + Wire.Text(1, "I look ") + Wire.Text(1, "it up.") + Wire.Stop(1)
        + Wire.StartTool(2) + Wire.Input(2, "") + Wire.Input(2, "{\"city\": \"Z\\u00fc") + Wire.Ping + Wire.Input(2, "rich\", \"days\": [1, 2") + Wire.Input(2, "], \"deep\": {\"b\": true}}") + Wire.Stop(2)
        + Wire.StartTool(3, "now", "toolu_2") + Wire.Stop(3) + Wire.End("tool_use");

    public static readonly byte[] ToolsAnswer = Wire.Answer("""
        {"type":"thinking","thinking":"Another thought.","signature":"b3RoZXI="},
        {"type":"text","text":"I look it up."},
        {"type":"tool_use","id":"toolu_r1","name":"look_up","input":{"days":[1,2],"city":"Zürich","deep":{"b":true}}},
        {"type":"tool_use","id":"toolu_r2","name":"now","input":{}}
        """, "tool_use");

    /// <summary>A search by the server, its result, text with citations, redacted thinking.</summary>
    public static readonly string Search =
        Wire.MessageStart + Wire.StartTool(0, "web_search", "srv_1", "server_tool_use") + Wire.Input(0, "{\"query\":") + Wire.Input(0, " \"eclipse\"}") + Wire.Stop(0)
        + Wire.Start(1, """{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[{"type":"web_search_result","title":"A","url":"https://a.example"}]}""") + Wire.Stop(1)
        + Wire.Start(2, """{"type":"redacted_thinking","data":"b3BhcXVl"}""") + Wire.Stop(2)
        + Wire.Start(3, """{"type":"text","text":"","citations":[]}""") + Wire.Delta(3, """{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://a.example","cited_text":"x"}}""")
        + Wire.Text(3, "An eclipse ") + Wire.Text(3, "happens.") + Wire.Delta(3, """{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://a.example","cited_text":"y"}}""") + Wire.Stop(3) + Wire.End();

    public static readonly byte[] SearchAnswer = Wire.Answer("""
        {"type":"server_tool_use","id":"srv_9","name":"web_search","input":{"query":"eclipse"}},
        {"type":"web_search_tool_result","tool_use_id":"srv_9","content":[{"url":"https://a.example","type":"web_search_result","title":"A"}]},
        {"type":"redacted_thinking","data":"ZGlmZmVyZW50"},
        {"type":"text","text":"An eclipse happens.","citations":[{"type":"web_search_result_location","url":"https://a.example","cited_text":"x"},{"type":"web_search_result_location","url":"https://a.example","cited_text":"y"}]}
        """);

    public static IEnumerable<(string Name, string Stream, byte[] Answer)> All =>
        [("text", Text, TextAnswer), ("tools", Tools, ToolsAnswer), ("search", Search, SearchAnswer)];
}
