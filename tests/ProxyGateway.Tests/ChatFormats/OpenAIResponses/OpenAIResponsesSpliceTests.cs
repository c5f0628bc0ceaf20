using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;
using static ProxyGateway.Tests.ChatFormats.OpenAIResponses.ResponsesFixtures;

namespace ProxyGateway.Tests.ChatFormats.OpenAIResponses;

public sealed class OpenAIResponsesSpliceTests
{
    [Fact]
    public void TextInFlight_GoesOnInTheSameItem()
    {
        var (delivered, reader) = CutAfter("text", "Welt ");

        var (_, rest) = Continue(reader, Script("text", "b").Answer());

        var client = StrictClient.Read([.. delivered, .. rest]);
        Assert.Equal(
            [
                "created", "in_progress", "output_item.added 0", "output_item.done 0", "output_item.added 1", "content_part.added 1.0",
                "output_text.delta 1.0 Grüße, ", "output_text.delta 1.0 Welt ",
                "output_text.delta 1.0 😀 \"quoted\"\nend", "output_text.annotation.added 1.0",
                "output_text.done 1.0", "content_part.done 1.0", "output_item.done 1", "completed",
            ],
            client.Skeleton);
        Assert.Equal("msg_a1", (string?)client.Output[1]!["id"]);
        Assert.Equal("sealed_a", (string?)client.Output[0]!["encrypted_content"]);
    }

    [Fact]
    public void CallInFlight_GoesOnUnderTheIdsDeliveredFirst()
    {
        var (delivered, reader) = CutAfter("calls", "\\u0022Pa");

        var (verdict, rest) = Continue(reader, Script("calls", "b").Answer());

        Assert.Equal(AnswerVerdict.Usable, verdict);
        var client = StrictClient.Read([.. delivered, .. rest]);
        Assert.Contains("function_call_arguments.delta 1 ris\"}", client.Skeleton);
        Assert.Equal(("fc_a1", "call_a1"), ((string?)client.Output[1]!["id"], (string?)client.Output[1]!["call_id"]));
        // The second call was never begun, so it is the replay's own.
        Assert.Equal(("fc_b2", "call_b2"), ((string?)client.Output[2]!["id"], (string?)client.Output[2]!["call_id"]));
    }

    [Fact]
    public void ReasoningInFlight_IsSealedByTheReplay()
    {
        var (delivered, reader) = CutAfter("mixed", "First ");

        var (_, rest) = Continue(reader, Script("mixed", "b").Answer());

        var client = StrictClient.Read([.. delivered, .. rest]);
        Assert.Equal("rs_a0", (string?)client.Output[0]!["id"]);
        Assert.Equal("sealed_b", (string?)client.Output[0]!["encrypted_content"]);
    }

    [Fact]
    public void ItemsThatReferToOneAnother_KeepDoingSo()
    {
        const string Item = """{"id":"ID","type":"shell_call","status":"completed","call_id":"CALL","action":{"commands":["ls"]}}""";
        using var reader = NewReader();
        reader.Read("""{"type":"response.created","response":{"id":"resp_a","model":"m"}}""");
        reader.Read($$"""{"type":"response.output_item.added","output_index":0,"item":{{Item.Replace("ID", "sh_a").Replace("CALL", "call_a")}}}""");
        reader.Read($$"""{"type":"response.output_item.done","output_index":0,"item":{{Item.Replace("ID", "sh_a").Replace("CALL", "call_a")}}}""");
        var answer = $$"""{"id":"resp_b","status":"completed","output":[{{Item.Replace("ID", "sh_b").Replace("CALL", "call_b")}},{"id":"out_b","type":"shell_call_output","call_id":"call_b","output":[{"stdout":"call_b"}]}]}""";

        var (verdict, rest) = Continue(reader, System.Text.Encoding.UTF8.GetBytes(answer));

        Assert.Equal(AnswerVerdict.Usable, verdict);
        var output = JsonNode.Parse(Text(rest).Split("data: ")[^1])!["response"]!["output"]!;
        Assert.Equal("call_a", (string?)output[0]!["call_id"]);
        Assert.Equal("call_a", (string?)output[1]!["call_id"]);
        Assert.Equal("call_b", (string?)output[1]!["output"]![0]!["stdout"]);
    }

    [Theory]
    [InlineData("text", "Welt ", "Welt", "World")] // text
    [InlineData("text", "\"annotation\":{", "example.test", "example.org")] // a note on it
    [InlineData("calls", "\\u0022Pa", "Par", "Lon")] // arguments in flight
    [InlineData("calls", "\\u0022Pa", "\"weather\"", "\"climate\"")] // the name of the call in flight
    [InlineData("calls", "\"output_index\":2", "Paris", "London")] // arguments of a whole call
    [InlineData("calls", "\\u0022Pa", "look", "see")] // the text before the call
    [InlineData("calls", "\"call_id\":\"call_a1\"", "Let me look. ", "Let me look. Now.")] // the same, longer
    [InlineData("mixed", "\"name\":\"exec\"", "proxies", "gateways")] // what a server's tool did
    [InlineData("mixed", "\"name\":\"exec\"", "Second", "2nd")] // reasoning that is whole
    [InlineData("mixed", "Second", "First ", "Fifth ")] // a summary that another follows
    [InlineData("mixed", "\"name\":\"exec\"", "custom_tool_call", "function_call")] // the kind of item
    [InlineData("refusal", "I can", "I can", "I will")]
    public void ReplayThatSaysOtherwise_IsDivergentAndWritesNothing(string name, string cutAfter, string said, string instead)
    {
        var (_, reader) = CutAfter(name, cutAfter);
        Assert.True(reader.CanSplice);
        var answer = Text(Script(name, "b").Answer());
        Assert.Contains(said, answer, StringComparison.Ordinal);

        var (verdict, rest) = Continue(reader, System.Text.Encoding.UTF8.GetBytes(answer.Replace(said, instead, StringComparison.Ordinal).Replace("\"input\"", instead == "function_call" ? "\"arguments\"" : "\"input\"", StringComparison.Ordinal)));

        Assert.Contains(verdict, (AnswerVerdict[])[AnswerVerdict.Divergent, .. instead == "function_call" ? [AnswerVerdict.Unusable] : (AnswerVerdict[])[]]);
        Assert.Empty(rest);
    }

    [Fact]
    public void ReplayWithFewerItems_IsDivergent()
    {
        var (_, reader) = CutAfter("calls", "\"output_index\":2");
        var answer = JsonNode.Parse(Script("calls", "b").Answer())!;
        answer["output"]!.AsArray().RemoveAt(2);

        Assert.Equal(AnswerVerdict.Divergent, Continue(reader, System.Text.Encoding.UTF8.GetBytes(answer.ToJsonString())).Verdict);
    }

    [Fact]
    public void EverythingDeliveredButTheEnd_GetsTheEndAlone()
    {
        var stream = Script("calls").Bytes;
        using var reader = NewReader();
        var end = Text(stream).IndexOf("event: response.completed", StringComparison.Ordinal);
        reader.ReadAll(System.Text.Encoding.UTF8.GetBytes(Text(stream)[..end]));
        reader.KeepHeld();

        var (verdict, rest) = Continue(reader, Script("calls", "b").Answer());

        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Equal(["event: response.completed"], Text(rest).Split('\n').Where(l => l.StartsWith("event", StringComparison.Ordinal)));
        StrictClient.Read([.. System.Text.Encoding.UTF8.GetBytes(Text(stream)[..end]), .. rest]);
    }

    [Fact]
    public void AnswerCutByALimit_EndsIncomplete()
    {
        var (delivered, reader) = CutAfter("text", "Welt ");

        var (_, rest) = Continue(reader, Script("text", "b").Answer("incomplete"));

        var client = StrictClient.Read([.. delivered, .. rest]);
        Assert.Equal("response.incomplete", client.Terminal);
        Assert.Equal("max_output_tokens", (string?)client.Final!["incomplete_details"]!["reason"]);
    }

    [Theory]
    [InlineData("", AnswerVerdict.Unusable)]
    [InlineData("<html>", AnswerVerdict.Unusable)]
    [InlineData("[]", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed"}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","output":[]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"in_progress","output":[]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"queued","output":[]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"output":[{"type":"message","content":[]}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","output":[{"content":[]}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","output":[{"type":"message","content":"x"}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","output":[{"type":"message","content":[{"type":"output_text"}]}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"\ud83d"}]}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","output":[{"type":"function_call","name":"f","arguments":"{\"a\""}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","output":[{"type":"function_call","arguments":"{}"}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"status":"completed","status":"failed","output":[{"type":"message","content":[]}]}""", AnswerVerdict.Unusable)]
    [InlineData("""{"error":{"message":"x"}}""", AnswerVerdict.Error)]
    [InlineData("""{"status":"failed","error":{"code":"server_error"},"output":[]}""", AnswerVerdict.Error)]
    [InlineData("""{"status":"incomplete","error":null,"output":[]}""", AnswerVerdict.Usable)]
    [InlineData("""{"status":"completed","error":null,"output":[{"type":"message","content":[]}]}""", AnswerVerdict.Usable)]
    public void WholeAnswer_IsGoodFor(string answer, object expected)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(answer);
        var verdict = (AnswerVerdict)expected;

        Assert.Equal(verdict, Format.CheckAnswer(Request, bytes));

        var (made, events) = Continue(null, bytes);
        Assert.Equal(verdict, made);
        Assert.Equal(verdict != AnswerVerdict.Usable, events.Length == 0);
    }

    [Fact]
    public void HalfASurrogatePairInAMemberNobodyReads_IsUnusableAndWritesNothing()
    {
        var (verdict, rest) = Continue(null, """{"status":"completed","metadata":{"x":"\ud83d"},"output":[{"type":"message","content":[]}]}"""u8.ToArray());

        Assert.Equal(AnswerVerdict.Unusable, verdict);
        Assert.Empty(rest);
    }

    private static (byte[] Delivered, ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses.OpenAIResponsesReader Reader) CutAfter(string name, string text)
    {
        var stream = Text(Script(name).Bytes);
        var at = stream.IndexOf(text, StringComparison.Ordinal);
        Assert.True(at >= 0, $"{text} is not in the stream");
        var end = stream.IndexOf("\n\n", at, StringComparison.Ordinal) + 2;
        var (delivered, _, reader) = Guarded(System.Text.Encoding.UTF8.GetBytes(stream[..end]), FaultKind.ConnectionReset);
        return (delivered, reader);
    }
}
