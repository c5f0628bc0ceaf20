using System.Text;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Formats;

/// <summary>Legacy OpenAI completions.</summary>
internal sealed class OpenAICompletionsGrid : GridFormat
{
    private const string Id = "c-1";
    private const string Done = "data: [DONE]\n\n";

    public override string Name => "openai-completions";

    public override string Target => "/v1/completions";

    public override byte[] ErrorEvent { get; } = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n"u8.ToArray();

    public override byte[] ErrorBody { get; } = Chat.ErrorBody("no", code: "no");

    public override IEnumerable<GridStream> OwnStreams()
    {
        yield return Stream("text", Text("Hel"), Text("lo"), Text(" you"), Stop(), Done);
        yield return Stream("scalars", Text("né€"), Text("😀👩‍🚀"), Chunk("{\"index\":0,\"text\":\"\\u00e9\\ud83d\\ude00\\n\\\"q\\\\\",\"finish_reason\":null}"), Stop(), Done);
        yield return Stream("split-pair", Chunk("{\"index\":0,\"text\":\"a\\ud83d\"}"), Chunk("{\"index\":0,\"text\":\"\\ude00b\"}"), Stop(), Done) with { CannotBeJoined = true };
        yield return Stream("two-choices", Text("A"), Text("B", 1), Text("a"), Stop(), Text("b", 1), Stop("length", 1), Done) with { Request = Request(n: 2) };
        yield return Stream("two-prompts", Text("A"), Text("B", 1), Stop("stop", 1), Text("a"), Stop(), Done) with { Request = Request(prompt: "[\"x\",\"y\"]") };
        yield return Stream("usage", Text("Hi"), Text("!"), Stop(), Usage, Done) with { Request = Request(usage: true) };
        yield return Stream("finish-with-text", Text("Hi"), Chunk("{\"index\":0,\"text\":\"!\",\"finish_reason\":\"length\"}"), Done);
        yield return Stream("logprobs", Chunk("{\"index\":0,\"text\":\"Hi\",\"logprobs\":{\"tokens\":[\"Hi\"]}}"), Text("!"), Stop(), Done);
        yield return Stream("no-done", Text("Hi"), Text("!"), Stop());
        yield return Stream("done-only", Text("Hi"), Text("!"), Done);
        yield return Stream("no-text", Text(""), Stop(), Done);
        yield return Stream("crlf", Text("Hi"), Text("!"), Stop(), Done).With("\r\n");
        yield return Stream("comments", ": a\n\n", Text("Hi"), ":\n\n", "id: 2\n" + Text("!"), Stop(), ": c\n\n", Done);
        yield return Stream("malformed-once", Text("Hi"), "data: {oops\n\n", Text("!"), Stop(), Done);
        yield return Stream("error-inside", Text("Hi"), Encoding.UTF8.GetString(ErrorEvent), Text("!"), Stop(), Done) with { IsBroken = true };
        yield return Stream("after-done", Text("Hi"), Stop(), Done, Text("more"), Done);
        yield return Stream("long", Text(new string('w', 300)), Text(string.Concat(Enumerable.Repeat("é 😀", 80))), Stop(), Done) with { Recorded = true };
        yield return Stream("kept-limit", Text("Hello"), Text(" you"), Text(" all"), Stop(), Done) with { MaxDeliveredBytes = 8, CannotBeJoined = true };
        yield return Stream("finish-only-counts", Text("Hi"), Text("!"), Stop(), Done) with { Terminal = TerminalRule.FinishReason };
        yield return Stream("done-only-counts", Text("Hi"), Text("!"), Stop(), Done) with { Terminal = TerminalRule.Done };
    }

    public override byte[] RequestFor(byte[] stream) => Request(usage: stream.AsSpan().IndexOf("\"usage\":{"u8) >= 0);

    public override byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished)
    {
        var choices = answer.Choices.Select(index =>
        {
            var text = answer.Blocks.TryGetValue(new BlockKey(index, Channel.Text, 0), out var block) ? block.Text.ToString() : "";
            return $"{{\"index\":{index},\"text\":{Json.Quote(text)},\"logprobs\":null,\"finish_reason\":{(finished ? Json.Quote(answer.Finishes.GetValueOrDefault(index, "stop")) : "null")}}}";
        });
        return Chat.Bytes(
            $"{{\"id\":{Json.Quote(id)},\"object\":\"text_completion\",\"created\":1800000000,\"model\":{Json.Quote(answer.Models.FirstOrDefault("m"))},\"choices\":[{string.Join(',', choices)}],",
            "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}");
    }

    private static string Usage => $"data: {Head},\"choices\":[],\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}}}\n\n";

    private static string Head => $"{{\"id\":\"{Id}\",\"object\":\"text_completion\",\"created\":17,\"model\":\"m\"";

    private static GridStream Stream(string name, params string[] events) => new(name, Chat.Bytes(events), Request()) { Id = Id };

    private static byte[] Request(int n = 1, bool usage = false, string prompt = "\"hi\"") => Chat.Bytes(
        $"{{\"model\":\"m\",\"prompt\":{prompt},\"stream\":true{(n > 1 ? $",\"n\":{n}" : "")}{(usage ? ",\"stream_options\":{\"include_usage\":true}" : "")}}}");

    private static string Chunk(string choice) => $"data: {Head},\"choices\":[{choice}]}}\n\n";

    private static string Text(string text, int index = 0) => Chunk($"{{\"index\":{index},\"text\":{Json.Quote(text)},\"finish_reason\":null}}");

    private static string Stop(string reason = "stop", int index = 0) => Chunk($"{{\"index\":{index},\"text\":\"\",\"finish_reason\":\"{reason}\"}}");
}
