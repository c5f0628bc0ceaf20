using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Formats;

/// <summary>Ollama.</summary>
internal sealed class OllamaGrid : GridFormat
{
    private const string Time = "2030-01-01T00:00:00Z";

    public override string Name => "ollama";

    public override string Target => "/api/chat";

    public override byte[] ErrorEvent { get; } = "{\"error\":\"overloaded\"}\n"u8.ToArray();

    public override byte[] ErrorBody { get; } = "{\"error\":\"no\"}"u8.ToArray();

    public override IEnumerable<GridStream> OwnStreams()
    {
        yield return Stream("text", Text("Hel"), Text("lo"), Text(" you"), Stop());
        yield return Stream("scalars", Text("né€"), Text("😀👩‍🚀"), Line("\"content\":\"\\u00e9\\ud83d\\ude00\\n\\\"q\\\\\""), Stop());
        yield return Stream("thinking", Line("\"content\":\"\",\"thinking\":\"Let\""), Line("\"content\":\"\",\"thinking\":\" me\""), Text("Ye"), Text("s"), Stop());
        yield return Stream("call", Line("\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"get\",\"arguments\":{\"a\":12}}}]"), Stop());
        yield return Stream("calls", Text("Ok"), Line("\"content\":\"\",\"tool_calls\":[{\"id\":\"t1\",\"function\":{\"name\":\"get\",\"arguments\":{\"é\":\"\\\"\"}}}]"), Line("\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"now\",\"arguments\":{}}}]"), Stop());
        yield return Stream("stop-with-text", Text("Hi"), Line("\"content\":\"!\"", "true,\"done_reason\":\"length\""));
        yield return Stream("no-reason", Text("Hi"), Line("\"content\":\"\"", "true"));
        yield return Stream("no-reason-counts", Text("Hi"), Line("\"content\":\"\"", "true")) with { Terminal = TerminalRule.FinishReason, IsBroken = true };
        yield return Stream("no-text", Stop());
        yield return Stream("empty-lines", Text(""), Text("Hi"), Text(""), Text("!"), Stop());
        yield return Stream("blank-lines", "\n", Text("Hi"), "\n", Text("!"), Stop());
        yield return Stream("crlf", Text("Hi"), Text("!"), Stop()).With("\r\n");
        yield return Stream("images", Text("Look"), Line("\"content\":\"\",\"images\":[\"AA\"]"), Stop()) with { CannotBeJoined = true };
        yield return Stream("malformed-once", Text("Hi"), "{oops\n", Text("!"), Stop());
        yield return Stream("malformed-thrice", Text("Hi"), "x\n", "y\n", "z\n", Text("!"), Stop()) with { IsBroken = true };
        yield return Stream("error-inside", Text("Hi"), "{\"error\":\"no\"}\n", Text("!"), Stop()) with { IsBroken = true };
        yield return Stream("after-stop", Text("Hi"), Stop(), Text("more"), Stop());
        yield return Stream("long", Text(new string('w', 300)), Text(string.Concat(Enumerable.Repeat("é 😀", 80))), Stop()) with { Recorded = true };
        yield return Stream("kept-limit", Text("Hello"), Text(" you"), Text(" all"), Stop()) with { MaxDeliveredBytes = 8, CannotBeJoined = true };
        yield return Stream("untyped", Text("Hi"), Text("!"), Stop()) with { ContentType = null };
    }

    public override byte[] RequestFor(byte[] stream) => Request();

    public override bool EndsEvent(ReadOnlySpan<byte> bytes) => bytes.IsEmpty || bytes[^1] == (byte)'\n';

    public override byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished)
    {
        List<string> members = ["\"role\":\"assistant\"", $"\"content\":{Json.Quote(Text(answer, Channel.Text) ?? "")}"];
        if (Text(answer, Channel.Reasoning) is { } thinking)
        {
            members.Add($"\"thinking\":{Json.Quote(thinking)}");
        }

        var calls = answer.Blocks.Where(b => b.Key.Channel == Channel.Tool).Select(b =>
            $"{{{(b.Value.ToolId is null ? "" : $"\"id\":{Json.Quote(b.Value.ToolId)},")}\"function\":{{\"name\":{Json.Quote(b.Value.ToolName.ToString())},\"arguments\":{(b.Value.Text.Length == 0 ? "{}" : b.Value.Text)}}}}}").ToList();
        if (calls.Count > 0)
        {
            members.Add($"\"tool_calls\":[{string.Join(',', calls)}]");
        }

        var reason = answer.Finishes.GetValueOrDefault(0, "");
        return Chat.Bytes(
            $"{{\"model\":\"m\",\"created_at\":\"{Time}\",\"message\":{{{string.Join(',', members)}}},\"done\":{(finished ? "true" : "false")}",
            $"{(reason.Length > 0 ? $",\"done_reason\":{Json.Quote(reason)}" : "")},\"eval_count\":5}}");
    }

    private static string? Text(DecodedMessage answer, Channel channel) => answer.Blocks.TryGetValue(new BlockKey(0, channel, 0), out var block) ? block.Text.ToString() : null;

    private static GridStream Stream(string name, params string[] lines) => new(name, Chat.Bytes(lines), Request()) { ContentType = "application/x-ndjson" };

    private static byte[] Request() => "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"u8.ToArray();

    private static string Line(string message, string done = "false") => $"{{\"model\":\"m\",\"created_at\":\"{Time}\",\"message\":{{\"role\":\"assistant\",{message}}},\"done\":{done}}}\n";

    private static string Text(string text) => Line($"\"content\":{Json.Quote(text)}");

    private static string Stop() => Line("\"content\":\"\"", "true,\"done_reason\":\"stop\",\"eval_count\":5");
}
