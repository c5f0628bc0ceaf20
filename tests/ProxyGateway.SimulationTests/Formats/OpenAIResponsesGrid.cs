using System.Text;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using static ProxyGateway.TestKit.Chats.ResponseStream;

namespace ProxyGateway.SimulationTests.Formats;

/// <summary>OpenAI Responses.</summary>
internal sealed class OpenAIResponsesGrid : GridFormat
{
    private const int Summary = 1000;

    public override string Name => "openai-responses";

    public override string Target => "/v1/responses";

    public override byte[] ErrorEvent { get; } = Numbered([Failed], 9);

    public override byte[] ErrorBody => ResponseStream.ErrorBody;

    public override IEnumerable<GridStream> OwnStreams()
    {
        var hi = Message(0, "output_text", "Hi", "!").ToList();
        var whole = WholeMessage(0, "output_text", "Hi!");
        yield return Stream("text", [Created(), InProgress(), .. Message(0, "output_text", "Hel", "lo"), Completed(WholeMessage(0, "output_text", "Hello"))]);
        yield return Stream("scalars", [Created(), .. Message(0, "output_text", "né€", "😀👩‍🚀\n\"\\"), Completed(WholeMessage(0, "output_text", "né€😀👩‍🚀\n\"\\"))]);
        yield return Stream("refusal", [Created(), .. Message(0, "refusal", "I ca", "nnot"), Completed(WholeMessage(0, "refusal", "I cannot"))]);
        yield return Stream("reasoning", [Created(), .. Reasoning(0, "Let", " me"), .. Message(1, "output_text", "Ye", "s"), Completed(WholeReasoning(0, "Let me") + "," + WholeMessage(1, "output_text", "Yes"))]);
        yield return Stream("call", [Created(), .. Call(0, "get", "{\"a\":", "12", "}"), Completed(WholeCall(0, "get", "{\"a\":12}"))]);
        yield return Stream("calls", [Created(), .. Message(0, "output_text", "Ok"), .. Call(1, "get", "{\"a\":", "1}"), .. Call(2, "put", "{}"),
            Completed(WholeMessage(0, "output_text", "Ok") + "," + WholeCall(1, "get", "{\"a\":1}") + "," + WholeCall(2, "put", "{}"))]) with { Recorded = true };
        yield return Stream("call-cut", [Created(), Added(0, CallItem("fc_0_run1", "call_0", "get", "", "in_progress")), Delta("function_call_arguments", 0, "fc_0_run1", "{\"a\":", ""),
            ItemDone(0, CallItem("fc_0_run1", "call_0", "get", "{\"a\":", "incomplete")), Completed(CallItem("fc_0_run1", "call_0", "get", "{\"a\":", "incomplete"), "incomplete")]) with { IsBroken = true, CannotBeJoined = true };
        yield return Stream("custom-call", [Created(), Added(0, CustomItem("ct_run1", "call_0", "sh", "", "in_progress")), Delta("custom_tool_call_input", 0, "ct_run1", "ls {", ""),
            Delta("custom_tool_call_input", 0, "ct_run1", " -l", ""), Of("response.custom_tool_call_input.done", 0, "ct_run1", "\"input\":\"ls { -l\""),
            ItemDone(0, CustomItem("ct_run1", "call_0", "sh", "ls { -l")), Completed(CustomItem("ct_run1", "call_0", "sh", "ls { -l"))]);
        var search = "{\"id\":\"ws_run1\",\"type\":\"web_search_call\",\"status\":\"completed\",\"action\":{\"type\":\"search\",\"query\":\"x\"}}";
        yield return Stream("server-tool", [Created(), Added(0, "{\"id\":\"ws_run1\",\"type\":\"web_search_call\",\"status\":\"in_progress\"}"), Of("response.web_search_call.searching", 0, "ws_run1", "\"x\":1"),
            Of("response.web_search_call.completed", 0, "ws_run1", "\"x\":1"), ItemDone(0, search), .. Message(1, "output_text", "Fo", "und"), Completed(search + "," + WholeMessage(1, "output_text", "Found"))]) with { Recorded = true };
        yield return Stream("annotation", [Created(), .. Annotated()]) with { Recorded = true };
        yield return Stream("incomplete", [Created(), .. hi, Completed(whole, "incomplete")]);
        yield return Stream("done-marker", [Created(), .. hi, Completed(whole), Done]);
        yield return Stream("keep-alive", [Created(), "event: keepalive\n" + Event("keepalive", "\"x\":1"), ": c\n\n", .. hi[..4], ": d\n\n", Event("keepalive", "\"x\":2"), .. hi[4..], InProgress(), Completed(whole)]) with { Recorded = true };
        yield return Stream("named", [.. ((string[])[Created(), .. hi, Completed(whole)]).Select(Named)]) with { Recorded = true };
        yield return Stream("crlf", [Created(), .. hi, Completed(whole)]).With("\r\n") with { Recorded = true };
        yield return Stream("cr", [Created(), .. hi, Completed(whole)]).With("\r") with { Recorded = true };
        yield return Stream("mark", ["\uFEFF" + Created(), .. hi, Completed(whole)]) with { Recorded = true };
        yield return Stream("deltas-only", [Created(), Added(0, MessageItem("msg_0_run1", "in_progress")), Delta("output_text", 0, "msg_0_run1", "Hi"), Delta("output_text", 0, "msg_0_run1", "!"),
            ItemDone(0, whole), Completed(whole)]) with { Recorded = true };
        yield return Stream("done-has-the-text", [Created(), hi[0], hi[1], hi[4], hi[5], ItemDone(0, whole), Completed(whole)]) with { Recorded = true };
        yield return Stream("malformed-once", [Created(), .. hi[..3], "data: {oops\n\n", .. hi[3..], Completed(whole)]);
        yield return Stream("malformed-thrice", [Created(), .. hi[..3], "data: x\n\n", "data: y\n\n", "data: z\n\n", .. hi[3..], Completed(whole)]) with { IsBroken = true, Recorded = true };
        yield return Stream("error-inside", [Created(), .. hi[..3], Failed, .. hi[3..], Completed(whole)]) with { IsBroken = true, Recorded = true };
        yield return Stream("failed-inside", [Created(), .. hi[..3], Event("response.failed", Response("failed", more: ",\"error\":{\"code\":\"server_error\",\"message\":\"no\"}"))]) with { IsBroken = true, Recorded = true };
        yield return Stream("after-end", [Created(), .. hi, Completed(whole), .. Message(1, "output_text", "more"), Done, Done]) with { Recorded = true };
        yield return Stream("long", [Created(), .. Message(0, "output_text", new string('w', 300), Repeat("é 😀", 80)), Completed(WholeMessage(0, "output_text", new string('w', 300) + Repeat("é 😀", 80)))]) with { Recorded = true };
        yield return Stream("event-limit", [Created(), .. Message(0, "output_text", "Hi", new string('x', 1100)), Completed(whole)]) with { MaxEventBytes = 1024, IsBroken = true, Recorded = true };
        yield return Stream("kept-limit", [Created(), .. Message(0, "output_text", "Hello", new string('k', 200)), Completed(WholeMessage(0, "output_text", "Hello" + new string('k', 200)))]) with { MaxDeliveredBytes = 160, CannotBeJoined = true, Recorded = true };
        yield return Stream("marker-only-counts", [Created(), .. hi, Completed(whole), Done]) with { Terminal = TerminalRule.Done };
        yield return Stream("marker-without-end", [Created(), .. hi, Done]) with { Terminal = TerminalRule.Done, Recorded = true };
        yield return Stream("untyped", [Created(), .. hi, Completed(whole)]) with { ContentType = null, Recorded = true };
    }

    public override byte[] RequestFor(byte[] stream) => Request();

    /// <summary>A file may hold the turns of a conversation, a stream after the other.</summary>
    public override IEnumerable<byte[]> Split(byte[] recording)
    {
        var text = Encoding.UTF8.GetString(recording);
        var first = text.IndexOf("\"type\":\"response.created\"", StringComparison.Ordinal);
        var next = first < 0 ? -1 : text.IndexOf("\"type\":\"response.created\"", first + 1, StringComparison.Ordinal);
        yield return next < 0 ? recording : Encoding.UTF8.GetBytes(text[..(text.LastIndexOf("\n\n", next, StringComparison.Ordinal) + 2)]);
    }

    /// <summary>Agents take an item at its end, ask again if nothing follows, and then have it twice: no end leaves alone.</summary>
    public override string? CheckFlush(GridStream stream, ReadOnlyMemory<byte> sent)
    {
        if (stream.MaxEventBytes < 1024 * 1024)
        {
            return null;
        }

        var last = Encoding.UTF8.GetString(sent.Span);
        var type = last.LastIndexOf("\"type\":\"response.", StringComparison.Ordinal);
        var line = last.LastIndexOf("data:", StringComparison.Ordinal);
        var begin = line < 0 ? -1 : last.IndexOf("\"type\":\"", line, StringComparison.Ordinal);
        return type >= 0 && begin >= 0 && last[(begin + 8)..last.IndexOf('"', begin + 8)].EndsWith(".done", StringComparison.Ordinal) ? "the end of an item or part left alone" : null;
    }

    public override byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished)
    {
        var items = answer.Blocks.GroupBy(b => b.Key.Choice).OrderBy(g => g.Key).Select(g => Item(stream, g.Key, [.. g], id)).OfType<string>();
        var whole = Whole(id, finished ? answer.Finishes.GetValueOrDefault(0, "completed") : "in_progress", [.. items]);
        return whole;
    }

    private static GridStream Stream(string name, params string[] events) => new(name, Numbered(events), Request()) { Id = ResponseStream.Id };

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    /// <summary>With the event line that the API itself sends.</summary>
    private static string Named(string e)
    {
        var type = e[(e.IndexOf("\"type\":\"", StringComparison.Ordinal) + 8)..];
        return $"event: {type[..type.IndexOf('"')]}\n{e}";
    }

    private static IEnumerable<string> Annotated()
    {
        const string Note = "{\"type\":\"url_citation\",\"url\":\"u\"}";
        var item = MessageItem("msg_0_run1", "completed", $"{{\"type\":\"output_text\",\"annotations\":[{Note}],\"text\":\"Hi!\"}}");
        var events = Message(0, "output_text", "Hi", "!").ToList();
        var annotated = "{\"type\":\"output_text\",\"annotations\":[" + Note + "],\"text\":\"Hi!\"}";
        return [.. events[..3], Of("response.output_text.annotation.added", 0, "msg_0_run1", $"\"content_index\":0,\"annotation_index\":0,\"annotation\":{Note}"), events[3], events[4],
            Of("response.content_part.done", 0, "msg_0_run1", $"\"content_index\":0,\"part\":{annotated}"), ItemDone(0, item), Completed(item)];
    }

    private static string? Item(GridStream stream, int output, List<KeyValuePair<BlockKey, DecodedBlock>> blocks, string id)
    {
        var frame = blocks.Find(b => b.Key.Channel == Channel.Frame).Value;
        var name = (frame?.ToolId ?? $"item_{output}").Replace(ResponseStream.Id, id, StringComparison.Ordinal);
        var kind = frame?.Kind ?? (blocks.Exists(b => b.Key.Channel == Channel.Tool) ? "function_call" : blocks.Exists(b => b.Key.Channel == Channel.Reasoning) ? "reasoning" : "message");
        switch (kind)
        {
            case "message":
                return MessageItem(name, "completed", [.. blocks.Where(b => b.Key.Channel is Channel.Text or Channel.Refusal).OrderBy(b => b.Key.Index).Select(b => Part(b.Key.Channel == Channel.Text ? "output_text" : "refusal", b.Value))]);
            case "reasoning":
                return $"{{\"id\":\"{name}\",\"type\":\"reasoning\",\"summary\":[{Texts(blocks, "summary_text", Summary, int.MaxValue)}],\"content\":[{Texts(blocks, "reasoning_text", 0, Summary)}],\"encrypted_content\":\"x\"}}";
            case "function_call" or "custom_tool_call":
                if (blocks.Find(b => b.Key.Channel == Channel.Tool).Value is not { } call)
                {
                    return null;
                }

                var function = CallItem(name, call.ToolId ?? "call", call.ToolName.ToString(), call.Text.ToString());
                return kind == "function_call"
                    ? frame?.Raws is [var space, ..] ? $"{function[..^1]},\"namespace\":{Json.Quote(space)}}}" : function
                    : CustomItem(name, call.ToolId ?? "call", call.ToolName.ToString(), call.Text.ToString());
            default:
                return frame?.Raws.LastOrDefault()?.Replace(stream.Id ?? "", id, StringComparison.Ordinal);
        }
    }

    private static string Texts(List<KeyValuePair<BlockKey, DecodedBlock>> blocks, string type, int from, int to) => string.Join(',', blocks
        .Where(b => b.Key.Channel == Channel.Reasoning && b.Key.Index >= from && b.Key.Index < to).OrderBy(b => b.Key.Index).Select(b => Part(type, b.Value)));

    private static string Part(string type, DecodedBlock block) => block.Raws.Count == 0
        ? PartOf(type, block.Text.ToString())
        : $"{{\"type\":\"{type}\",\"annotations\":[{string.Join(',', block.Raws)}],\"text\":{Json.Quote(block.Text.ToString())}}}";
}
