using System.Buffers;
using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.AnthropicMessages;

/// <summary>What is written after a fault, given what was delivered and what the replay answers.</summary>
public sealed class AnthropicMessagesSpliceTests
{
    private const string Thought = """{"type":"thinking","thinking":"","signature":""}""";
    private const string ThoughtAnswer = """{"type":"thinking","thinking":"other","signature":"c2ln"}""";
    private const string Usage = "\"usage\":{\"input_tokens\":12,\"cache_read_input_tokens\":3,\"output_tokens\":7}";

    private static readonly string WholeThought = Wire.Start(0, Thought) + Wire.Thinking(0, "hm") + Wire.Signature(0, "YQ==") + Wire.Stop(0);

    public static TheoryData<string, string, string, string> Spliced => new()
    {
        // situation, delivered blocks, the answer's content, what is written before message_delta
        { "text in flight", Wire.StartText(0) + Wire.Text(0, "Alpha"), Text("Alpha Bravo"), Wire.Text(0, " Bravo") + Wire.Stop(0) },
        { "text all there but not closed", Wire.StartText(0) + Wire.Text(0, "Alpha"), Text("Alpha"), Wire.Stop(0) },
        { "text closed", Wire.StartText(0) + Wire.Text(0, "Alpha") + Wire.Stop(0), Text("Alpha"), "" },
        { "later block", Wire.StartText(0) + Wire.Text(0, "Al"), Text("Alpha") + "," + Tool("{}"), Wire.Text(0, "pha") + Wire.Stop(0) + Wire.StartTool(1, id: "toolu_r") + Wire.Input(1, "{}") + Wire.Stop(1) },
        { "whole thinking", WholeThought, ThoughtAnswer + "," + Text("A"), Wire.StartText(1) + Wire.Text(1, "A") + Wire.Stop(1) },
        { "whole thinking that the replay lacks", WholeThought, Text("A"), Wire.StartText(1) + Wire.Text(1, "A") + Wire.Stop(1) },
        { "whole thinking against two", WholeThought, ThoughtAnswer + "," + """{"type":"redacted_thinking","data":"x"}""" + "," + Text("A"), Wire.StartText(1) + Wire.Text(1, "A") + Wire.Stop(1) },
        { "signed thinking not closed", Wire.Start(0, Thought) + Wire.Thinking(0, "hm") + Wire.Signature(0, "YQ=="), ThoughtAnswer + "," + Text("A"), Wire.Stop(0) + Wire.StartText(1) + Wire.Text(1, "A") + Wire.Stop(1) },
        { "redacted thinking not closed", Wire.Start(0, """{"type":"redacted_thinking","data":"x"}"""), ThoughtAnswer + "," + Text("A"), Wire.Stop(0) + Wire.StartText(1) + Wire.Text(1, "A") + Wire.Stop(1) },
        { "text behind whole thinking", WholeThought + Wire.StartText(1) + Wire.Text(1, "Al"), ThoughtAnswer + "," + Text("Alpha"), Wire.Text(1, "pha") + Wire.Stop(1) },
        { "thinking after text", Wire.StartText(0) + Wire.Text(0, "A"), Text("A") + "," + ThoughtAnswer, Wire.Stop(0) + Wire.Start(1, Thought) + Wire.Thinking(1, "other") + Wire.Signature(1, "c2ln") + Wire.Stop(1) },
        { "call in flight", Wire.StartTool(0) + Wire.Input(0, "{\"city\":\"Par"), Tool("""{"city":"Paris"}"""), Wire.Input(0, "is\"}") + Wire.Stop(0) },
        { "call in flight, written otherwise", Wire.StartTool(0) + Wire.Input(0, "{\"b\": 1, \"ci"), Tool("""{"city":"Paris","b":1}"""), Wire.Input(0, "ty\":\"Paris\"}") + Wire.Stop(0) },
        { "call just opened", Wire.StartTool(0), Tool("""{"city":"Paris"}"""), Wire.Input(0, """{"city":"Paris"}""") + Wire.Stop(0) },
        { "call all there but not closed", Wire.StartTool(0) + Wire.Input(0, "{\"a\": 1}"), Tool("""{"a":1}"""), Wire.Stop(0) },
        { "call delivered whole", Wire.StartTool(0) + Wire.Input(0, "{\"a\": 1}") + Wire.Stop(0), Tool("""{"a":1}"""), "" },
        { "call without input delivered whole", Wire.StartTool(0) + Wire.Stop(0), Tool("{}"), "" },
        { "call with its input in the start", Wire.Start(0, """{"type":"tool_use","id":"toolu_1","name":"look_up","input":{"a": 1}}"""), Tool("""{"a":1}"""), Wire.Stop(0) },
        { "two calls, the second in flight", Wire.StartTool(0) + Wire.Stop(0) + Wire.StartTool(1, id: "toolu_2") + Wire.Input(1, "{\"a\""), Tool("{}", id: "r1") + "," + Tool("""{"a":1}""", id: "r2"), Wire.Input(1, ":1}") + Wire.Stop(1) },
        { "two open blocks", Wire.StartText(0) + Wire.Text(0, "A") + Wire.StartTool(1) + Wire.Input(1, "{"), Text("A") + "," + Tool("{}"), Wire.Stop(0) + Wire.Input(1, "}") + Wire.Stop(1) },
        { "result of the server not closed", ServerCall(0, "srv_1") + Wire.Start(1, Result("srv_1", "x")), ServerTool("srv_r") + "," + Result("srv_r", "x"), Wire.Stop(1) },
        { "result of the server to come", ServerCall(0, "srv_1"), ServerTool("srv_r") + "," + Result("srv_r", "x"), Wire.Start(1, Result("srv_1", "x")) + Wire.Stop(1) },
        { "call that code made", ServerCall(0, "srv_1"), ServerTool("srv_r") + ",{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{},\"caller\":{\"type\":\"code\",\"tool_id\":\"srv_r\"}}", Wire.Start(1, """{"type":"tool_use","id":"t","name":"f","input":{},"caller":{"type":"code","tool_id":"srv_1"}}""") + Wire.Input(1, "{}") + Wire.Stop(1) },
        { "citation to come", Wire.StartText(0) + Wire.Text(0, "A") + Cite(0, "x"), Text("AB", "x", "y"), Wire.Text(0, "B") + Cite(0, "y") + Wire.Stop(0) },
        { "compaction just opened", WholeThought + Wire.Start(1, """{"type":"compaction","content":null}"""), ThoughtAnswer + """,{"type":"compaction","content":"s","encrypted_content":"e"}""", Wire.Delta(1, """{"type":"compaction_delta","content":"s","encrypted_content":"e"}""") + Wire.Stop(1) },
        { "scalar of four bytes", Wire.StartText(0) + Wire.Text(0, "a🌍"), Text("a🌍🌍"), Wire.Text(0, "🌍") + Wire.Stop(0) },
    };

    [Theory]
    [MemberData(nameof(Spliced))]
    public void ReplayThatAgrees_IsJoined(string situation, string blocks, string content, string rest)
    {
        Assert.NotEmpty(situation);
        var run = GuardedStream.Run(Wire.MessageStart + blocks, FaultKind.ConnectionReset);
        var delivered = Encoding.UTF8.GetString(run.Client);
        Assert.Equal(AnswerVerdict.Usable, run.Continue(Wire.Answer(content)));
        var end = Wire.Event($$"""{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},{{Usage}}}""") + Wire.MessageStop;
        Assert.Equal(Readable(rest + end), Readable(Encoding.UTF8.GetString(run.Client)[delivered.Length..]));
        Assert.True(ClientMessage.Read(run.Client).Complete);
        Assert.Equal("msg_1", ClientMessage.Read(run.Client).Id);
    }

    public static TheoryData<string, string, string> Divergences => new()
    {
        { "other text", Wire.StartText(0) + Wire.Text(0, "Alpha"), Text("Beta") },
        { "shorter text", Wire.StartText(0) + Wire.Text(0, "Alpha"), Text("Alp") },
        { "other case", Wire.StartText(0) + Wire.Text(0, "Alpha"), Text("alpha") },
        { "composed otherwise", Wire.StartText(0) + Wire.Text(0, "é"), Text("e\u0301") },
        { "longer text in a closed block", Wire.StartText(0) + Wire.Text(0, "Alpha") + Wire.Stop(0), Text("Alpha Bravo") },
        { "call in place of text", Wire.StartText(0) + Wire.Text(0, "A"), Tool("{}") },
        { "fewer blocks", Wire.StartText(0) + Wire.Text(0, "A") + Wire.Stop(0) + Wire.StartTool(1), Text("A") },
        { "no content", Wire.StartText(0) + Wire.Text(0, "A"), "" },
        { "other name", Wire.StartTool(0), Tool("{}", "other") },
        { "other kind of call", Wire.StartTool(0), ServerTool("x", "look_up") },
        { "other input", Wire.StartTool(0) + Wire.Input(0, "{\"city\":\"Par"), Tool("""{"city":"London"}""") },
        { "other input of a whole call", Wire.StartTool(0) + Wire.Input(0, "{\"a\":1}") + Wire.Stop(0), Tool("""{"a":2}""") },
        { "input of a call that had none", Wire.StartTool(0) + Wire.Stop(0), Tool("""{"a":2}""") },
        { "other input in the start", Wire.Start(0, """{"type":"tool_use","id":"t","name":"look_up","input":{"a":1}}"""), Tool("""{"a":2}""") },
        { "thinking cut", Wire.Start(0, Thought) + Wire.Thinking(0, "hm"), ThoughtAnswer + "," + Text("A") },
        { "thinking cut behind text", Wire.StartText(0) + Wire.Text(0, "A") + Wire.Stop(0) + Wire.Start(1, Thought), Text("A") + "," + ThoughtAnswer },
        { "thinking before the delivered text", Wire.StartText(0) + Wire.Text(0, "A"), ThoughtAnswer + "," + Text("A") },
        { "other result of the server", ServerCall(0, "srv_1") + Wire.Start(1, Result("srv_1", "x")), ServerTool("srv_r") + "," + Result("srv_r", "y") },
        { "result of another call", ServerCall(0, "srv_1") + Wire.Start(1, Result("srv_1", "x")), ServerTool("srv_r") + "," + Result("srv_q", "x") },
        { "other citation", Wire.StartText(0) + Wire.Text(0, "A") + Cite(0, "x"), Text("AB", "z") },
        { "citation in a closed block", Wire.StartText(0) + Wire.Text(0, "A") + Wire.Stop(0), Text("A", "x") },
        { "half a compaction", Wire.Start(0, """{"type":"compaction"}""") + Wire.Delta(0, """{"type":"compaction_delta","content":"s"}"""), """{"type":"compaction","content":"summary"}""" },
        { "open text behind an open text", Wire.StartText(0) + Wire.Text(0, "A") + Wire.StartText(1) + Wire.Text(1, "B"), Text("Alpha") + "," + Text("B") },
        { "delta of a type not known", Wire.StartText(0) + Wire.Delta(0, """{"type":"smell_delta"}"""), Text("A") },
    };

    [Theory]
    [MemberData(nameof(Divergences))]
    public void ReplayThatDiffers_IsNotJoined(string situation, string blocks, string content)
    {
        Assert.NotEmpty(situation);
        var run = GuardedStream.Run(Wire.MessageStart + blocks + Wire.Text(99, "no such block"));
        // An open thinking block or text without a delta is no content yet; then the client has nothing, and nothing diverges.
        if (run.Reader.Delivered == DeliveredKind.Nothing)
        {
            Assert.Fail("The case must deliver content.");
        }

        Assert.Equal(AnswerVerdict.Divergent, run.Continue(Wire.Answer(content)));
    }

    [Fact]
    public void MoreDeliveredThanKept_IsDivergent()
    {
        var run = GuardedStream.Run(Wire.MessageStart + Wire.StartText(0) + Wire.Text(0, new string('x', 500)), FaultKind.IdleTimeout, maxDelivered: 400);
        Assert.False(run.Reader.CanSplice);
        Assert.Equal(AnswerVerdict.Divergent, run.Continue(Wire.Answer(Text(new string('x', 501)))));
    }

    [Theory]
    [InlineData("", "Unusable")]
    [InlineData("<html>", "Unusable")]
    [InlineData("[]", "Unusable")]
    [InlineData("{}", "Unusable")]
    [InlineData("""{"type":"message","content":[{"type":"text","text":"A"}]}""", "Unusable")]
    [InlineData("""{"type":"message","content":[{"type":"text","text":"A"}],"stop_reason":null}""", "Unusable")]
    [InlineData("""{"type":"message","content":[{"type":"text","text":"A"}],"stop_reason":"error"}""", "Unusable")]
    [InlineData("""{"type":"message","stop_reason":"end_turn"}""", "Unusable")]
    [InlineData("""{"type":"completion","content":[],"stop_reason":"end_turn"}""", "Unusable")]
    [InlineData("""{"type":"message","content":["A"],"stop_reason":"end_turn"}""", "Unusable")]
    [InlineData("""{"type":"message","content":[{"type":"text"}],"stop_reason":"end_turn"}""", "Unusable")]
    [InlineData("""{"type":"message","content":[{"type":"text","text":"\ud83c"}],"stop_reason":"end_turn"}""", "Unusable")]
    [InlineData("""{"type":"message","content":[{"type":"tool_use","id":"a","name":"b"}],"stop_reason":"tool_use"}""", "Unusable")]
    [InlineData("""{"type":"message","content":[{"type":"tool_use","id":"a","name":"b","input":"{}"}],"stop_reason":"tool_use"}""", "Unusable")]
    [InlineData("""{"type":"message","content":[],"content":[],"stop_reason":"end_turn"}""", "Unusable")]
    [InlineData("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""", "Error")]
    [InlineData("""{"error":{"message":"x"}}""", "Error")]
    public void WhatIsNoAnswer_IsNotUsed(string body, string verdict)
    {
        Assert.Equal(verdict, GuardedStream.Format.CheckAnswer(GuardedStream.Request, Wire.Utf8(body)).ToString());
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(verdict, GuardedStream.Format.Continue(GuardedStream.Request, null, Wire.Utf8(body), output).ToString());
        Assert.Equal(0, output.WrittenCount);
    }

    [Fact]
    public void HalfASurrogatePairDeepInside_WritesNothing()
    {
        var output = new ArrayBufferWriter<byte>();
        var answer = Wire.Answer(Text("A") + """,{"type":"web_search_tool_result","tool_use_id":"x","content":[{"title":"\udf0d"}]}""");
        Assert.Equal(AnswerVerdict.Unusable, GuardedStream.Format.Continue(GuardedStream.Request, null, answer, output));
        Assert.Equal(0, output.WrittenCount);
    }

    private static string Text(string text, params string[] citations) =>
        $$"""{"type":"text","text":{{System.Text.Json.JsonSerializer.Serialize(text)}},"citations":{{(citations.Length == 0 ? "null" : "[" + string.Join(',', citations.Select(c => $$"""{"type":"char_location","cited_text":"{{c}}"}""")) + "]")}}}""";

    private static string Cite(int index, string text) => Wire.Delta(index, $$$"""{"type":"citations_delta","citation":{"type":"char_location","cited_text":"{{{text}}}"}}""");

    private static string Tool(string input, string name = "look_up", string id = "toolu_r") => $$"""{"type":"tool_use","id":"{{id}}","name":"{{name}}","input":{{input}}}""";

    private static string ServerTool(string id, string name = "web_search") => $$$"""{"type":"server_tool_use","id":"{{{id}}}","name":"{{{name}}}","input":{"query":"q"}}""";

    private static string ServerCall(int index, string id) => Wire.StartTool(index, "web_search", id, "server_tool_use") + Wire.Input(index, "{\"query\": \"q\"}") + Wire.Stop(index);

    private static string Result(string id, string title) => $$$"""{"type":"web_search_tool_result","tool_use_id":"{{{id}}}","content":[{"type":"web_search_result","title":"{{{title}}}"}]}""";

    /// <summary>Escapes and the null citations of a start are a matter of spelling.</summary>
    private static string Readable(string events) => string.Join('\n', events.Split('\n').Select(line =>
    {
        if (!line.StartsWith("data: ", StringComparison.Ordinal))
        {
            return line;
        }

        var data = System.Text.Json.Nodes.JsonNode.Parse(line[6..])!;
        (data["content_block"] as System.Text.Json.Nodes.JsonObject)?.Remove("citations");
        return "data: " + data.ToJsonString();
    }));
}
