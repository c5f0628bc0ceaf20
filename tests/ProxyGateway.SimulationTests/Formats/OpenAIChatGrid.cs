using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Formats;

/// <summary>OpenAI Chat Completions.</summary>
internal sealed class OpenAIChatGrid : GridFormat
{
    private const string Id = "c-1";
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override string Name => "openai-chat";

    public override string Target => "/v1/chat/completions";

    public override byte[] ErrorEvent { get; } = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n"u8.ToArray();

    public override byte[] ErrorBody { get; } = "{\"error\":{\"message\":\"no\",\"type\":\"server_error\",\"param\":null,\"code\":\"no\"}}"u8.ToArray();

    public override IEnumerable<GridStream> OwnStreams()
    {
        yield return Stream("text", Role(), Text("Hel"), Text("lo"), Text(" you"), Stop(), Done);
        yield return Stream("scalars", Role(), Text("né"), Text("€ 😀"), Text("😁👩‍🚀"), Delta("\"content\":\"\\u00e9\\ud83d\\ude00\\n\\\"q\\\\\""), Stop(), Done);
        yield return Stream("split-pair", Role(), Delta("\"content\":\"a\\ud83d\""), Delta("\"content\":\"\\ude00b\""), Stop(), Done) with { CannotBeJoined = true };
        yield return Stream("reasoning", Role(), Delta("\"reasoning_content\":\"Let me\""), Delta("\"reasoning_content\":\" see\""), Text("Ye"), Text("s"), Stop(), Done);
        yield return Stream("reasoning-short", Role(), Delta("\"reasoning\":\"Hm\",\"content\":\"\""), Delta("\"reasoning\":\"m\""), Text("No"), Stop(), Done);
        yield return Stream("refusal", Role(), Delta("\"refusal\":\"I ca\""), Delta("\"refusal\":\"nnot\""), Stop(), Done);
        yield return Stream("tool", Role(), Tool(0, "t1", "get", ""), Args(0, "{\"a\":"), Args(0, "12"), Args(0, "}"), Stop("tool_calls"), Done);
        yield return Stream("tool-whole", Role(), Tool(0, "t1", "get", "{\"a\":1}"), Stop("tool_calls"), Done);
        yield return Stream("tool-empty", Role(), Tool(0, "t1", "now", ""), Stop("tool_calls"), Done);
        yield return Stream("tool-braces", Role(), Tool(0, "t1", "now", "{}"), Stop("tool_calls"), Done);
        yield return Stream("tools", Role(), Text("Ok"), Tool(0, "t1", "get", ""), Args(0, "{\"a\":"), Args(0, "1}"), Tool(1, "t2", "put", ""), Args(1, "{\"é\":\"\\\"\"}"), Stop("tool_calls"), Done);
        yield return Stream("tools-at-once", Role(), Delta($"\"tool_calls\":[{Call(0, "t1", "a", "{}")},{Call(1, "t2", "b", "{\"x\":[1,2]}")}]"), Stop("tool_calls"), Done);
        yield return Stream("tool-cut-by-length", Role(), Tool(0, "t1", "get", ""), Args(0, "{\"a\":"), Stop("length"), Done) with { IsBroken = true, CannotBeJoined = true };
        yield return Stream("function-call", Role(), Delta("\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}"), Delta("\"function_call\":{\"arguments\":\"{\\\"a\\\":1}\"}"), Stop("function_call"), Done);
        yield return Stream("two-choices", Role(0), Role(1), Text("A", 0), Text("B", 1), Text("a", 0), Stop("stop", 0), Text("b", 1), Stop("length", 1), Done) with { Request = Request(n: 2) };
        yield return Stream("logprobs", Role(), Logprobs("He"), Logprobs("y"), Stop(), Done);
        yield return Stream("usage", Role(), Text("Hi"), Text("!"), Stop(), Usage, Done) with { Request = Request(usage: true) };
        yield return Stream("usage-everywhere", Chunk($"{Choice("\"role\":\"assistant\"")}", ",\"usage\":null"), Chunk(Choice("\"content\":\"Hi\""), ",\"usage\":null"), Stop(), Usage, Done) with { Request = Request(usage: true) };
        yield return Stream("usage-early", Role(), Text("Hi"), Usage, Text("!"), Stop(), Done) with { Request = Request(usage: true) };
        yield return Stream("no-role", Text("Hi"), Text(" you"), Stop(), Done);
        yield return Stream("role-with-text", Delta("\"role\":\"assistant\",\"content\":\"Hi\""), Text("!"), Stop(), Done);
        yield return Stream("no-done", Role(), Text("Hi"), Text("!"), Stop());
        yield return Stream("done-only", Role(), Text("Hi"), Text("!"), Done);
        yield return Stream("finish-with-text", Role(), Text("Hi"), Chunk("{\"index\":0,\"delta\":{\"content\":\"!\"},\"finish_reason\":\"stop\"}"), Done);
        yield return Stream("no-text", Role(), Stop(), Done);
        yield return Stream("crlf", Role(), Text("Hi"), Text("!"), Stop(), Done).With("\r\n");
        yield return Stream("cr", Role(), Text("Hi"), Text("!"), Stop(), Done).With("\r");
        yield return Stream("mixed-ends", Role() + "\n", Text("Hi").Replace("\n\n", "\r\n\n"), ": c\r\n\r", Text("!").Replace("\n\n", "\n\r\n"), Stop().Replace("\n\n", "\r\r"), Done);
        yield return Stream("comments", ": start\n\n", Role(), ": PROCESSING\n\n", Text("Hi"), ":\n\n", "event: ping\nretry: 5\n\n", Text("!"), Stop(), ": x\n\n", Done);
        yield return Stream("ids", "id: 1\nevent: message\n" + Role(), "id: 2\n" + Text("Hi"), "retry: 10\n" + Text("!"), Stop(), Done);
        yield return Stream("mark", "\uFEFF" + Role(), Text("Hi"), Text("!"), Stop(), Done);
        yield return Stream("many-lines", Role(), $"data: {Head()},\ndata: \"choices\":[\ndata:{Choice("\"content\":\"Hi\"")}]}}\n\n", Text("!"), Stop(), Done);
        yield return Stream("spaces", "data:" + Role()[6..], "data:  " + Text("Hi")[6..], "data\n\n", "data:\n\n", Text("!"), Stop(), "data:[DONE] \n\n");
        yield return Stream("malformed-once", Role(), Text("Hi"), "data: {oops\n\n", Text("!"), Stop(), Done);
        yield return Stream("malformed-thrice", Role(), Text("Hi"), "data: x\n\n", "data: y\n\n", "data: z\n\n", Text("!"), Stop(), Done) with { IsBroken = true };
        yield return Stream("error-inside", Role(), Text("Hi"), Encoding.UTF8.GetString(ErrorEvent), Text("!"), Stop(), Done) with { IsBroken = true };
        yield return Stream("after-done", Role(), Text("Hi"), Stop(), Done, Text("more"), Done);
        yield return Stream("unknown-fields", Role(), Chunk(Choice("\"content\":\"Hi\",\"x\":{\"y\":[1]}"), ",\"system_fingerprint\":\"fp\",\"z\":[{}]"), Text("!"), Stop(), Done);
        yield return Stream("long-words", Role(), Text(new string('w', 300)), Text(string.Concat(Enumerable.Repeat("é ", 150))), Stop(), Done) with { Recorded = true };
        yield return Spoilt(Stream("bad-bytes", Role(), Text("Hi"), Text("H~i"), Text("!"), Stop(), Done)) with { CannotBeJoined = true };
        yield return Stream("long-scalars", Role(), Text("a" + new string('é', 150)), Text(string.Concat(Enumerable.Repeat("😀", 90))), Stop(), Done) with { Recorded = true };
        yield return Stream("event-limit", Role(), Text("Hi"), Text(new string('x', 1100)), Text("!"), Stop(), Done) with { MaxEventBytes = 1024, IsBroken = true, Recorded = true };
        yield return Stream("kept-limit", Role(), Text("Hello"), Text(" you"), Text(" all"), Stop(), Done) with { MaxDeliveredBytes = 8, CannotBeJoined = true };
        yield return Stream("finish-only-counts", Role(), Text("Hi"), Text("!"), Stop(), Done) with { Terminal = TerminalRule.FinishReason };
        yield return Stream("done-only-counts", Role(), Text("Hi"), Text("!"), Stop(), Done) with { Terminal = TerminalRule.Done };
        yield return Stream("charset", Role(), Text("Hi"), Text("!"), Stop(), Done) with { ContentType = "text/event-stream; charset=utf-8" };
        yield return Stream("untyped", Role(), Text("Hi"), Text("!"), Stop(), Done) with { ContentType = null };
    }

    public override byte[] RequestFor(byte[] stream) => Request(usage: stream.AsSpan().IndexOf("\"usage\":{"u8) >= 0 || stream.AsSpan().IndexOf("\"usage\": {"u8) >= 0);

    public override bool AsksForStream(byte[] request, string target) => request.AsSpan().IndexOf("\"stream\":true"u8) >= 0;

    public override byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished)
    {
        var choices = answer.Choices.Select(index =>
        {
            var reason = finished ? Quote(answer.Finishes.GetValueOrDefault(index, "stop")) : "null";
            return $"{{\"index\":{index},\"message\":{Message(stream, answer, index)},\"logprobs\":null,\"finish_reason\":{reason}}}";
        });
        var model = answer.Models.FirstOrDefault("m");
        return Encoding.UTF8.GetBytes(
            $"{{\"id\":{Quote(id)},\"object\":\"chat.completion\",\"created\":1800000000,\"model\":{Quote(model)},\"choices\":[{string.Join(',', choices)}],"
            + "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}");
    }

    private const string Done = "data: [DONE]\n\n";

    private static string Usage => $"data: {Head()},\"choices\":[],\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}}}\n\n";

    private static GridStream Stream(string name, params string[] events) => new(name, Encoding.UTF8.GetBytes(string.Concat(events)), Request()) { Id = Id };

    /// <summary>With bytes that are no UTF-8 in the place of tildes.</summary>
    private static GridStream Spoilt(GridStream stream) => stream with { Bytes = [.. stream.Bytes.Select(b => b == (byte)'~' ? (byte)0xFF : b)] };

    private static byte[] Request(int n = 1, bool usage = false) => Encoding.UTF8.GetBytes(
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true"
        + (n > 1 ? $",\"n\":{n}" : "") + (usage ? ",\"stream_options\":{\"include_usage\":true}" : "") + "}");

    private static string Head() => $"{{\"id\":\"{Id}\",\"created\":17,\"model\":\"m\"";

    private static string Chunk(string choice, string more = "") => $"data: {Head()},\"choices\":[{choice}]{more}}}\n\n";

    private static string Choice(string delta, int index = 0) => $"{{\"index\":{index},\"delta\":{{{delta}}}}}";

    private static string Delta(string delta, int index = 0) => Chunk(Choice(delta, index));

    private static string Role(int index = 0) => Delta("\"role\":\"assistant\"", index);

    private static string Text(string text, int index = 0) => Delta($"\"content\":{Quote(text)}", index);

    private static string Logprobs(string text) => Chunk($"{{\"index\":0,\"delta\":{{\"content\":{Quote(text)}}},\"logprobs\":{{\"content\":[{{\"token\":{Quote(text)},\"logprob\":-0.5}}]}}}}");

    private static string Call(int index, string id, string name, string arguments) =>
        $"{{\"index\":{index},\"id\":\"{id}\",\"type\":\"function\",\"function\":{{\"name\":\"{name}\",\"arguments\":{Quote(arguments)}}}}}";

    private static string Tool(int index, string id, string name, string arguments) => Delta($"\"tool_calls\":[{Call(index, id, name, arguments)}]");

    private static string Args(int index, string arguments) => Delta($"\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":{Quote(arguments)}}}}}]");

    private static string Stop(string reason = "stop", int index = 0) => Chunk($"{{\"index\":{index},\"delta\":{{}},\"finish_reason\":\"{reason}\"}}");

    private static string Quote(string text) => JsonSerializer.Serialize(text, Plain);

    private static string Message(GridStream stream, DecodedMessage answer, int choice)
    {
        // The short name is what some servers call the reasoning.
        var reasoning = stream.Bytes.AsSpan().IndexOf("\"reasoning_content\""u8) >= 0 ? "reasoning_content" : "reasoning";
        List<string> members = ["\"role\":\"assistant\"", $"\"content\":{(Block(Channel.Text) is { } text ? Quote(text) : "null")}"];
        if (Block(Channel.Reasoning) is { } thought)
        {
            members.Add($"\"{reasoning}\":{Quote(thought)}");
        }

        if (Block(Channel.Refusal) is { } refusal)
        {
            members.Add($"\"refusal\":{Quote(refusal)}");
        }

        var calls = answer.Blocks.Where(b => b.Key.Channel == Channel.Tool && b.Key.Choice == choice).ToList();
        if (calls.Find(c => c.Key.Index < 0) is { Value: { } legacy })
        {
            members.Add($"\"function_call\":{Function(legacy)}");
        }
        else if (calls.Count > 0)
        {
            members.Add($"\"tool_calls\":[{string.Join(',', calls.Select(c => $"{{\"id\":{Quote(c.Value.ToolId ?? "t")},\"type\":\"function\",\"function\":{Function(c.Value)}}}"))}]");
        }

        return $"{{{string.Join(',', members)}}}";

        string? Block(Channel channel) => answer.Blocks.TryGetValue(new BlockKey(choice, channel, 0), out var block) ? block.Text.ToString() : null;
    }

    private static string Function(DecodedBlock call) => $"{{\"name\":{Quote(call.ToolName.ToString())},\"arguments\":{Quote(call.Text.ToString())}}}";
}
