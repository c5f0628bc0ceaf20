using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.Tests.Guard;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIChat;

public sealed class OpenAIChatSpliceTests
{
    private static readonly Chat C = Chat.Default;

    private static readonly Chat Other = C with { Id = "chatcmpl-replay", Model = "m2", Created = 1800000000 };

    [Fact]
    public void Text_IsContinued_UnderTheFirstIdentity()
    {
        using var run = new GuardRun().Push(C.Role() + C.Text("Hello w"));
        var (verdict, rest) = run.Continue(Other.Completion("Hello world"));
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Equal("orld", Text(rest));
        Assert.DoesNotContain("role", rest);
        Assert.DoesNotContain("replay", rest);
        Assert.Equal(1, Count(rest, "\"finish_reason\":\"stop\""));
        Assert.EndsWith(Chat.Done, rest);
    }

    [Theory]
    [InlineData("Hello", "Hallo")]
    [InlineData("Hello!", "Hello")]
    [InlineData("é", "e\u0301")]
    public void OtherText_IsDivergent_AndWritesNothing(string delivered, string replayed)
    {
        using var run = new GuardRun().Push(C.Text(delivered));
        Assert.Equal((AnswerVerdict.Divergent, ""), run.Continue(Other.Completion(replayed)));
    }

    [Fact]
    public void NothingDelivered_MakesTheWholeStream()
    {
        using var run = new GuardRun(new ChatRequest { Streaming = true, IncludeUsage = true });
        var long1 = string.Join(' ', Enumerable.Range(0, 200).Select(i => $"wörd{i}"));
        var (verdict, rest) = run.Continue(Other.Completion([new ChatChoice { Reasoning = ["think"], Text = [long1], Tools = [new("call_9", "f", "{\"a\":1}")] }]));
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Equal(long1, Text(rest));
        Assert.Equal(1, Count(rest, "\"role\":\"assistant\""));
        Assert.Contains("\"reasoning_content\":\"think\"", rest);
        Assert.Contains("\"tool_calls\":[{\"index\":0,\"id\":\"call_9\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]", rest);
        Assert.Equal(1, Count(rest, "\"usage\":{"));
        Assert.True(Count(rest, "data: ") > 6, "long text comes in pieces");
        using var again = new GuardRun(new ChatRequest { Streaming = true }).Push(rest).End();
        Assert.Equal(rest, again.Output);
    }

    [Fact]
    public void ChunkThatWasDropped_DoesNotNameTheAnswer()
    {
        using var run = new GuardRun().Push("data: {\"id\":\"of-a-broken-chunk\",\"created\":1,\"model\":\"wrong\",\"choices\":[}\n\n").Push(C.Role() + C.Text("Hello w"));
        var (_, rest) = run.Continue(Other.Completion("Hello world"));
        Assert.DoesNotContain("broken", rest);
        Assert.DoesNotContain("wrong", rest);
        Assert.Contains(C.Id, rest);
    }

    [Fact]
    public void Usage_ComesOnlyWhereItWasAskedFor()
    {
        using var run = new GuardRun().Push(C.Text("a"));
        Assert.DoesNotContain("usage", run.Continue(Other.Completion("ab")).Written);
    }

    [Fact]
    public void ToolCallInFlight_GoesOnUnderItsFirstId()
    {
        using var run = new GuardRun().Push(C.Tool(0, "call_1", "f") + C.Arguments(0, "{\"city\":\"Par"));
        var (verdict, rest) = run.Continue(Other.Completion([ChatChoice.Call(new ChatToolCall("call_2", "f", "{\"city\":\"Paris\"}"))]));
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Contains("{\"index\":0,\"function\":{\"arguments\":\"is\\\"}\"}}", rest);
        Assert.DoesNotContain("call_2", rest);
        Assert.DoesNotContain("\"name\"", rest);
    }

    [Fact]
    public void WholeToolCall_IsNeverIssuedAgain()
    {
        using var run = new GuardRun().Push(C.Tool(0, "call_1", "f", "{}"));
        var (verdict, rest) = run.Continue(Other.Completion([ChatChoice.Call(new("x", "f", "{}"), new("call_2", "g", "{}"))]));
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.DoesNotContain("\"name\":\"f\"", rest);
        Assert.Contains("\"index\":1,\"id\":\"call_2\"", rest);
    }

    [Theory]
    [InlineData("g", "{\"city\":\"Paris\"}")]
    [InlineData("f", "{\"city\":\"London\"}")]
    [InlineData("f", "{\"ci")]
    public void OtherToolCall_IsDivergentOrUnusable(string name, string arguments)
    {
        using var run = new GuardRun().Push(C.Tool(0, "call_1", "f", "{\"city\":\"Par"));
        var (verdict, rest) = run.Continue(Other.Completion([ChatChoice.Call(new ChatToolCall("call_2", name, arguments))]));
        Assert.NotEqual(AnswerVerdict.Usable, verdict);
        Assert.Equal("", rest);
    }

    [Fact]
    public void WhatStandsLater_ClosesWhatStandsBefore()
    {
        using var text = new GuardRun().Push(C.Text("abc") + C.Tool(0, "call_1", "f", "{"));
        Assert.Equal(AnswerVerdict.Divergent, text.Continue(Other.Completion([new ChatChoice { Text = ["abcd"], Tools = [new("c", "f", "{}")] }])).Verdict);
        using var reasoning = new GuardRun().Push(C.Reasoning("thi") + C.Text("abc"));
        Assert.Equal(AnswerVerdict.Divergent, reasoning.Continue(Other.Completion([new ChatChoice { Reasoning = ["think"], Text = ["abcd"] }])).Verdict);
        using var call = new GuardRun().Push(C.Tool(0, "c1", "f", "{\"a\":") + C.Tool(1, "c2", "g", "{"));
        Assert.Equal(AnswerVerdict.Divergent, call.Continue(Other.Completion([ChatChoice.Call(new("c", "f", "{\"a\":1}"), new("d", "g", "{}"))])).Verdict);
    }

    [Fact]
    public void SeveralChoices_AreContinuedEach_AndFinishedOnce()
    {
        using var run = new GuardRun(new ChatRequest { Streaming = true, ChoiceCount = 3 });
        run.Push(C.Role() + C.Text("aa") + C.Role(1) + C.Text("b", 1) + C.Finish());
        var (verdict, rest) = run.Continue(Other.Completion([ChatChoice.Of("aa"), ChatChoice.Of("bb"), ChatChoice.Of("cc")]));
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Equal(2, Count(rest, "\"finish_reason\":\"stop\""));
        Assert.Equal(1, Count(rest, "\"role\""));
        Assert.Equal("b", Text(rest, 1));
        Assert.Equal("cc", Text(rest, 2));
    }

    [Theory]
    [InlineData("not json", nameof(AnswerVerdict.Unusable))]
    [InlineData("[]", nameof(AnswerVerdict.Unusable))]
    [InlineData("{}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"choices\":[]}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"choices\":{}}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"choices\":[{\"index\":0,\"message\":\"a\",\"finish_reason\":\"stop\"}]}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\"},\"finish_reason\":null}]}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\",\"content\":\"b\"},\"finish_reason\":\"stop\"}]}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"\\ud83d\"},\"finish_reason\":\"stop\"}]}", nameof(AnswerVerdict.Unusable))]
    [InlineData("{\"error\":{\"message\":\"x\"}}", nameof(AnswerVerdict.Error))]
    public void NoAnswer_IsNotUsed(string body, string expected)
    {
        using var run = new GuardRun().Push(C.Text("a"));
        var (verdict, rest) = run.Continue(Encoding.UTF8.GetBytes(body));
        Assert.Equal((expected, ""), (verdict.ToString(), rest));
    }

    [Theory]
    [InlineData("""{"content":[{"type":"text","text":"a"}]}""")]
    [InlineData("""{"content":"a \ud83d b"}""")]
    [InlineData("""{"content":7}""")]
    [InlineData("""{"content":"a","reasoning":{"text":"b"}}""")]
    [InlineData("""{"content":"a","refusal":["b"]}""")]
    [InlineData("""{"content":null,"tool_calls":{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}}""")]
    [InlineData("""{"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":{"a":1}}}]}""")]
    [InlineData("""{"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"\ud83d"}}]}""")]
    [InlineData("""{"content":null,"function_call":"f"}""")]
    [InlineData("""{"content":"a","audio":{"id":"x"}}""")]
    [InlineData("""{"content":"a","images":[{"type":"image_url"}]}""")]
    public void OutputThatCannotBePassedOn_MakesTheAnswerUnusable_AndNeverShorter(string message)
    {
        using var run = new GuardRun();
        var (verdict, made) = run.Continue(Encoding.UTF8.GetBytes($$"""{"choices":[{"index":0,"message":{{message}},"finish_reason":"stop"}]}"""));
        Assert.Equal((AnswerVerdict.Unusable, ""), (verdict, made));
    }

    [Fact]
    public void MembersThatSayNothing_AreNoOutput()
    {
        using var run = new GuardRun();
        var (verdict, made) = run.Continue(Encoding.UTF8.GetBytes(
            """{"choices":[{"index":0,"message":{"content":"a","reasoning":null,"refusal":null,"audio":null,"images":[],"tool_calls":[],"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"stop"}]}"""));
        Assert.Equal((AnswerVerdict.Usable, "a", 1), (verdict, Text(made), Count(made, "\"function_call\"")));
    }

    [Fact]
    public void HalfASurrogatePair_EndsTheChanceToSplice_NotTheStream()
    {
        using var run = new GuardRun().Push("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\ud83d\"}}]}\n\n");
        Assert.False(run.Reader.CanSplice);
        Assert.NotEqual("", run.Output);
    }

    [Fact]
    public void MoreTextThanIsKept_EndsTheChanceToSplice_NotTheStream()
    {
        using var run = new GuardRun(maxDelivered: 10).Push(C.Text("0123456789"));
        Assert.True(run.Reader.CanSplice);
        run.Push(C.Text("x"));
        Assert.False(run.Reader.CanSplice);
        Assert.Contains("\"x\"", run.Output);
    }

    [Fact]
    public void Pieces_NeverCutAScalar()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("👋é漢", 200)));
        for (ReadOnlySpan<byte> rest = text; !rest.IsEmpty;)
        {
            var piece = TextPieces.Take(rest);
            Assert.True(System.Text.Unicode.Utf8.IsValid(rest[..piece]));
            rest = rest[piece..];
        }
    }

    [Fact]
    public void NaughtyText_StaysOneEvent()
    {
        const string Naughty = "a\r\n\r\ndata: [DONE]\n\n\u0000\u2028event: x";
        using var run = new GuardRun();
        var (_, rest) = run.Continue(C.Completion(Naughty));
        Assert.Equal(Naughty, Text(rest));
        Assert.Equal(Count(rest, "data: {"), Count(rest, "\n\n") - 1);
    }

    private static string Text(string stream, int choice = 0)
    {
        var text = new StringBuilder();
        foreach (var line in stream.Split('\n').Where(l => l.StartsWith("data: {", StringComparison.Ordinal)))
        {
            using var chunk = JsonDocument.Parse(line[6..]);
            foreach (var c in chunk.RootElement.GetProperty("choices").EnumerateArray().Where(c => c.GetProperty("index").GetInt32() == choice))
            {
                if (c.GetProperty("delta").TryGetProperty("content", out var content))
                {
                    text.Append(content.GetString());
                }
            }
        }

        return text.ToString();
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
