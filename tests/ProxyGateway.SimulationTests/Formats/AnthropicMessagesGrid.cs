using System.Text;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using static ProxyGateway.TestKit.Chats.MessageStream;

namespace ProxyGateway.SimulationTests.Formats;

/// <summary>Anthropic Messages.</summary>
internal sealed class AnthropicMessagesGrid : GridFormat
{
    public override string Name => "anthropic-messages";

    public override string Target => "/v1/messages?beta=true";

    public override byte[] ErrorEvent { get; } = Encoding.UTF8.GetBytes(Overloaded);

    public override byte[] ErrorBody => MessageStream.ErrorBody;

    public override IEnumerable<GridStream> OwnStreams()
    {
        var hi = BeginText(0) + Text(0, "Hi") + Text(0, "!") + End(0);
        yield return Stream("text", Start(), TextBlock(0, "Hel", "lo", " you"), Stop(), Done);
        yield return Stream("scalars", Start(), BeginText(0), Text(0, "né€"), Text(0, "😀👩‍🚀"), Delta(0, "text_delta", "\"text\":\"\\u00e9\\ud83d\\ude00\\n\\\"q\\\\\""), End(0), Stop(), Done);
        yield return Stream("split-pair", Start(), BeginText(0), Delta(0, "text_delta", "\"text\":\"a\\ud83d\""), Delta(0, "text_delta", "\"text\":\"\\ude00b\""), End(0), Stop(), Done) with { CannotBeJoined = true };
        yield return Stream("thinking", Start(), ThinkingBlock(0, "Let me", " see"), TextBlock(1, "Ye", "s"), Stop(), Done);
        yield return Stream("thinking-late", Start(), TextBlock(0, "Hm"), ThinkingBlock(1, "so"), TextBlock(2, "Yes"), Stop(), Done);
        yield return Stream("thinking-unsigned", Start(), BeginThinking(0), Think(0, "Hm"), End(0), TextBlock(1, "Yes"), Stop(), Done);
        yield return Stream("thinking-twice", Start(), ThinkingBlock(0, "a"), ThinkingBlock(1, "b"), TextBlock(2, "Y"), Stop(), Done) with { Recorded = true };
        yield return Stream("thinking-redacted", Start(), Begin(0, "\"type\":\"redacted_thinking\",\"data\":\"xyz\""), End(0), TextBlock(1, "Yes"), Stop(), Done);
        yield return Stream("tool", Start(), ToolBlock(0, "t1", "get", "", "{\"a\":", " 12", "}"), Stop("tool_use"), Done);
        yield return Stream("tool-whole", Start(), ToolBlock(0, "t1", "get", "{\"a\":{\"b\":[1,\"é\\n\"]}}"), Stop("tool_use"), Done);
        yield return Stream("tool-empty", Start(), ToolBlock(0, "t1", "now"), Stop("tool_use"), Done);
        yield return Stream("tool-at-start", Start(), Begin(0, "\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"get\",\"input\":{\"a\":1}"), End(0), Stop("tool_use"), Done);
        yield return Stream("tools", Start(), TextBlock(0, "Ok"), ToolBlock(1, "t1", "get", "{\"a\":", "1}"), ToolBlock(2, "t2", "put", "{\"é\":\"\\\"\"}"), Stop("tool_use"), Done);
        yield return Stream("tool-cut-by-length", Start(), BeginTool(0, "t1", "get"), Input(0, "{\"a\":"), End(0), Stop("max_tokens"), Done) with { IsBroken = true, CannotBeJoined = true };
        yield return Stream("server-tool", Start(), BeginTool(0, "s1", "web_search", "server_tool_use"), Input(0, "{\"q\":\"x\"}"), End(0),
            Begin(1, "\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s1\",\"content\":[{\"url\":\"u\"}]"), End(1), TextBlock(2, "Found", "."), Stop(), Done) with { Recorded = true };
        yield return Stream("citations", Start(), Begin(0, "\"type\":\"text\",\"text\":\"\",\"citations\":[]"), Text(0, "Ab"), Cite(0, "{\"url\":\"u\"}"), Text(0, "c"), End(0), Stop(), Done);
        yield return Stream("two-texts", Start(), TextBlock(0, "One"), TextBlock(1, "Two"), Stop(), Done);
        yield return Stream("pings", Ping, Start(), Ping, BeginText(0), Ping, Text(0, "Hi"), Ping, Text(0, "!"), End(0), Ping, Stop(), Done);
        yield return Stream("no-stop", Start(), hi, Stop());
        yield return Stream("stop-only", Start(), hi, Done);
        yield return Stream("usage-before-stop", Start(), hi, Event("message_delta", ",\"delta\":{},\"usage\":{\"output_tokens\":2}"), Stop(), Done);
        yield return Stream("refusal", Start(), Stop("refusal", 0), Done);
        yield return Stream("crlf", Start(), hi, Stop(), Done).With("\r\n");
        yield return Stream("cr", Start(), hi, Stop(), Done).With("\r");
        yield return Stream("comments", ": a\n\n", Start(), ":\n\n", BeginText(0), Text(0, "Hi"), ": b\n\n", "id: 7\nretry: 5\n" + Text(0, "!"), End(0), ": c\n\n", Stop(), Done);
        yield return Stream("unknown", Start(), Event("later_version", ",\"x\":1"), BeginText(0), Text(0, "Hi"), Event("later_version", ""), Text(0, "!"), End(0), Stop(), Done) with { Recorded = true };
        yield return Stream("unknown-block", Start(), Begin(0, "\"type\":\"later_block\",\"x\":{\"y\":1}"), End(0), TextBlock(1, "Hi"), Stop(), Done) with { Recorded = true };
        yield return Stream("mark", "\uFEFF" + Start(), hi, Stop(), Done) with { Recorded = true };
        yield return Stream("many-lines", Start(), BeginText(0), "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\ndata: \"index\":0,\ndata:\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n", Text(0, "!"), End(0), Stop(), Done) with { Recorded = true };
        yield return Stream("malformed-once", Start(), BeginText(0), Text(0, "Hi"), "event: content_block_delta\ndata: {oops\n\n", Text(0, "!"), End(0), Stop(), Done);
        yield return Stream("malformed-thrice", Start(), BeginText(0), Text(0, "Hi"), "data: x\n\n", "data: y\n\n", "data: z\n\n", Text(0, "!"), End(0), Stop(), Done) with { IsBroken = true };
        yield return Stream("error-inside", Start(), BeginText(0), Text(0, "Hi"), Overloaded, Text(0, "!"), End(0), Stop(), Done) with { IsBroken = true };
        yield return Stream("second-start", Start(), BeginText(0), Text(0, "Hi"), Start("msg_x"), Text(0, "!"), End(0), Stop(), Done) with { IsBroken = true };
        yield return Stream("into-closed", Start(), TextBlock(0, "Hi"), Text(0, "!"), Stop(), Done) with { IsBroken = true };
        yield return Stream("index-gap", Start(), TextBlock(0, "Hi"), TextBlock(2, "!"), Stop(), Done) with { IsBroken = true };
        yield return Stream("left-open", Start(), BeginText(0), Text(0, "Hi"), Stop(), Done) with { IsBroken = true };
        yield return Stream("unnamed", Start(), BeginText(0), Text(0, "Hi"), Text(0, "!").Replace("event: content_block_delta\n", "", StringComparison.Ordinal), End(0), Stop(), Done) with { IsBroken = true };
        yield return Stream("after-stop", Start(), hi, Stop(), Done, Text(0, "more"), Done) with { Recorded = true };
        yield return Stream("after-reason", Start(), hi, Stop(), TextBlock(1, "more"), Done) with { Recorded = true };
        yield return Stream("long", Start(), BeginText(0), Text(0, new string('w', 300)), Text(0, string.Concat(Enumerable.Repeat("é 😀", 80))), End(0), Stop(), Done) with { Recorded = true };
        yield return Stream("event-limit", Start(), BeginText(0), Text(0, "Hi"), Text(0, new string('x', 1100)), Text(0, "!"), End(0), Stop(), Done) with { MaxEventBytes = 1024, IsBroken = true, Recorded = true };
        yield return Stream("kept-limit", Start(), TextBlock(0, "Hello", " you", " all"), Stop(), Done) with { MaxDeliveredBytes = 140, CannotBeJoined = true };
        yield return Stream("reason-only-counts", Start(), hi, Stop(), Done) with { Terminal = TerminalRule.FinishReason };
        yield return Stream("stop-only-counts", Start(), hi, Ping, Stop(), Ping, Done) with { Terminal = TerminalRule.Done };
        yield return Stream("untyped", Start(), hi, Stop(), Done) with { ContentType = null };
    }

    public override byte[] RequestFor(byte[] stream) => Request();

    public override byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished) =>
        Message(id, finished ? answer.Finishes.GetValueOrDefault(0, "end_turn") : null, [.. answer.Blocks.OrderBy(b => b.Key.Index).Select(b => Block(b.Value))]);

    private static GridStream Stream(string name, params string[] events) => new(name, Encoding.UTF8.GetBytes(string.Concat(events)), Request()) { Id = MessageStream.Id };

    private static string Block(DecodedBlock block)
    {
        var text = block.Text.ToString();
        return block.Kind switch
        {
            "text" when block.Raws.Count > 0 => $"{{\"type\":\"text\",\"text\":{Json.Quote(text)},\"citations\":[{string.Join(',', block.Raws)}]}}",
            "text" => WholeText(text),
            "thinking" => WholeThinking(text, block.Raws.FirstOrDefault("")),
            "compaction" => $"{{\"type\":\"compaction\",\"content\":{Json.Quote(text)}}}",
            _ when block.ToolName.Length > 0 => WholeTool(block.ToolId ?? "t", block.ToolName.ToString(), text.Length == 0 ? "{}" : text, block.Kind ?? "tool_use"),
            _ => block.Raws[0],
        };
    }
}
