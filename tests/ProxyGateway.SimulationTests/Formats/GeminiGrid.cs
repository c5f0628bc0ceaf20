using System.Text;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Formats;

/// <summary>Gemini.</summary>
internal sealed class GeminiGrid : GridFormat
{
    private const string Id = "r-1";

    public override string Name => "gemini";

    public override string Target => "/v1beta/models/g:streamGenerateContent?alt=sse&key=k";

    public override byte[] ErrorEvent { get; } = "data: {\"error\":{\"code\":503,\"message\":\"overloaded\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n"u8.ToArray();

    public override byte[] ErrorBody { get; } = "{\"error\":{\"code\":500,\"message\":\"no\",\"status\":\"INTERNAL\"}}"u8.ToArray();

    public override IEnumerable<GridStream> OwnStreams()
    {
        yield return Stream("text", Text("Hel"), Text("lo"), Text(" you"), Stop());
        yield return Stream("scalars", Text("né€"), Text("😀👩‍🚀"), Part("{\"text\":\"\\u00e9\\ud83d\\ude00\\n\\\"q\\\\\"}"), Stop());
        yield return Stream("thought", Part("{\"text\":\"Let\",\"thought\":true}"), Part("{\"text\":\" me\",\"thought\":true}"), Text("Ye"), Text("s"), Stop());
        yield return Stream("signature", Part("{\"text\":\"Hm\",\"thought\":true,\"thoughtSignature\":\"c2ln\"}"), Text("Yes"), Stop());
        yield return Stream("call", Part("{\"functionCall\":{\"name\":\"get\",\"args\":{\"a\":1}}}"), Stop());
        yield return Stream("calls", Text("Ok"), Part("{\"functionCall\":{\"name\":\"get\",\"args\":{\"a\":12},\"id\":\"t1\"}}"), Part("{\"functionCall\":{\"name\":\"now\"}}"), Stop());
        yield return Stream("call-and-text", Part("{\"text\":\"So \"},{\"functionCall\":{\"name\":\"get\",\"args\":{\"é\":\"\\\"\"}}}"), Text("then"), Stop());
        yield return Stream("call-in-pieces", Part("{\"functionCall\":{\"name\":\"get\",\"willContinue\":true}}"), Part("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"numberValue\":1}]}}"), Stop()) with { CannotBeJoined = true };
        yield return Stream("call-cut", Part("{\"functionCall\":{\"name\":\"get\",\"willContinue\":true}}"), Stop()) with { IsBroken = true, CannotBeJoined = true };
        yield return Stream("image", Text("Look"), Part("{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA\"}}"), Stop()) with { CannotBeJoined = true };
        yield return Stream("two-candidates", Text("A"), Text("B", 1), Stop("STOP", 1), Text("a"), Stop()) with { Request = Request(2) };
        yield return Stream("finish-with-text", Text("Hi"), Event("{\"content\":{\"parts\":[{\"text\":\"!\"}]},\"index\":0,\"finishReason\":\"MAX_TOKENS\"}"));
        yield return Stream("usage-after", Text("Hi"), Stop(), $"data: {{\"usageMetadata\":{{\"totalTokenCount\":5}},\"responseId\":\"{Id}\"}}\r\n\r\n");
        yield return Stream("refused", $"data: {{\"promptFeedback\":{{\"blockReason\":\"SAFETY\"}},\"responseId\":\"{Id}\"}}\r\n\r\n");
        yield return Stream("no-ids", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}\r\n\r\n", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"!\"}]},\"finishReason\":\"STOP\"}]}\r\n\r\n");
        yield return Stream("lf", Text("Hi"), Text("!"), Stop()).With("\n");
        yield return Stream("comments", ": a\r\n\r\n", Text("Hi"), ":\r\n\r\n", Text("!"), Stop());
        yield return Stream("malformed-once", Text("Hi"), "data: {oops\r\n\r\n", Text("!"), Stop());
        yield return Stream("error-inside", Text("Hi"), Encoding.UTF8.GetString(ErrorEvent), Text("!"), Stop()) with { IsBroken = true };
        yield return Stream("long", Text(new string('w', 300)), Text(string.Concat(Enumerable.Repeat("é 😀", 80))), Stop()) with { Recorded = true };
        yield return Stream("kept-limit", Text("Hello"), Text(" you"), Text(" all"), Stop()) with { MaxDeliveredBytes = 8, CannotBeJoined = true };
        yield return Stream("untyped", Text("Hi"), Text("!"), Stop()) with { ContentType = null };
    }

    public override byte[] RequestFor(byte[] stream) => Request();

    public override byte[] WriteAnswer(GridStream stream, DecodedMessage answer, string id, bool finished)
    {
        if (answer.Finishes.ContainsKey(-1))
        {
            return Chat.Bytes($"{{\"promptFeedback\":{{\"blockReason\":\"SAFETY\"}},\"responseId\":{Json.Quote(id)}}}");
        }

        var candidates = answer.Choices.Select(index =>
        {
            var parts = answer.Blocks.Where(b => b.Key.Choice == index).OrderBy(b => b.Key.Index).Select(b => Part(b.Key.Channel, b.Value));
            return $"{{\"content\":{{\"parts\":[{string.Join(',', parts)}],\"role\":\"model\"}},\"index\":{index}{(finished ? $",\"finishReason\":{Json.Quote(answer.Finishes.GetValueOrDefault(index, "STOP"))}" : "")}}}";
        });
        return Chat.Bytes($"{{\"candidates\":[{string.Join(',', candidates)}],\"usageMetadata\":{{\"totalTokenCount\":5}},\"modelVersion\":\"g-1\",\"responseId\":{Json.Quote(id)}}}");
    }

    private static GridStream Stream(string name, params string[] events) => new(name, Chat.Bytes(events), Request()) { Id = Id };

    private static byte[] Request(int candidates = 1) => Chat.Bytes(
        $"{{\"contents\":[{{\"parts\":[{{\"text\":\"hi\"}}]}}]{(candidates > 1 ? $",\"generationConfig\":{{\"candidateCount\":{candidates}}}" : "")}}}");

    private static string Event(string candidate) => $"data: {{\"candidates\":[{candidate}],\"modelVersion\":\"g-1\",\"responseId\":\"{Id}\"}}\r\n\r\n";

    private static string Part(string parts, int index = 0) => Event($"{{\"content\":{{\"parts\":[{parts}],\"role\":\"model\"}},\"index\":{index}}}");

    private static string Text(string text, int index = 0) => Part($"{{\"text\":{Json.Quote(text)}}}", index);

    private static string Stop(string reason = "STOP", int index = 0) => Event($"{{\"content\":{{\"parts\":[{{\"text\":\"\"}}],\"role\":\"model\"}},\"index\":{index},\"finishReason\":\"{reason}\"}}");

    private static string Part(Channel channel, DecodedBlock block)
    {
        var text = block.Text.ToString();
        return channel switch
        {
            Channel.Text => $"{{\"text\":{Json.Quote(text)}}}",
            Channel.Reasoning => $"{{\"text\":{Json.Quote(text)},\"thought\":true}}",
            Channel.Tool => $"{{\"functionCall\":{{\"name\":{Json.Quote(block.ToolName.ToString())}{(text.Length > 0 ? $",\"args\":{text}" : "")}{(block.ToolId is null ? "" : $",\"id\":{Json.Quote(block.ToolId)}")}}}}}",
            _ => block.Raws.FirstOrDefault("{}"),
        };
    }
}
