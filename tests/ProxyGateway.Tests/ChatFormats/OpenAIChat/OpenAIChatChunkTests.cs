using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIChat;

/// <summary>What single chunks mean, and what the reader then knows.</summary>
public sealed class OpenAIChatChunkTests
{
    private static readonly GuardedStream Chat = new(new OpenAIChatFormat(), """{"model":"m","stream":true,"stream_options":{"include_usage":true}}""");

    [Theory]
    [InlineData("""{"choices":[],"choices":[]}""")]
    [InlineData("""{"error":null,"error":null}""")]
    [InlineData("""{"usage":null,"usage":null}""")]
    [InlineData("""{"object":"x","object":"x"}""")]
    [InlineData("""{"choices":[{"delta":{},"delta":{}}]}""")]
    [InlineData("""{"choices":[{"finish_reason":null,"finish_reason":"stop"}]}""")]
    [InlineData("""{"choices":[{"index":0,"index":1,"delta":{}}]}""")]
    [InlineData("""{"choices":[{"delta":{"content":"a","content":"b"}}]}""")]
    [InlineData("""{"choices":[{"delta":{"reasoning_content":"a","reasoning_content":"b"}}]}""")]
    [InlineData("""{"choices":[{"delta":{"reasoning":"a","reasoning":"b"}}]}""")]
    [InlineData("""{"choices":[{"delta":{"refusal":"a","refusal":"b"}}]}""")]
    [InlineData("""{"choices":[{"delta":{"tool_calls":[],"tool_calls":[]}}]}""")]
    [InlineData("""{"choices":[{"delta":{"function_call":null,"function_call":null}}]}""")]
    [InlineData("""{"choices":[{"delta":{"tool_calls":[{"index":0,"index":1}]}}]}""")]
    [InlineData("""{"choices":[{"delta":{"tool_calls":[{"function":{"name":"a","name":"a"}}]}}]}""")]
    [InlineData("""{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"","arguments":""}}]}}]}""")]
    public void MemberThatStandsTwice_IsMalformed(string chunk)
    {
        using var reader = Chat.NewReader();
        Assert.Equal(EventMeaning.Malformed, reader.Read(chunk));
        Assert.Empty(((OpenAIChatReader)reader).Choices);
    }

    [Theory]
    [InlineData("""{"role":"assistant","content":""}""", "Lifecycle", true)]
    [InlineData("""{"content":null}""", "Lifecycle", true)]
    [InlineData("null", "Lifecycle", true)]
    [InlineData("""{"content":"a"}""", "Content", true)]
    [InlineData("""{"reasoning_content":"a"}""", "Content", true)]
    [InlineData("""{"reasoning":"a"}""", "Content", true)]
    [InlineData("""{"refusal":"a"}""", "Content", true)]
    [InlineData("""{"tool_calls":null,"content":"a"}""", "Content", true)]
    [InlineData("""{"tool_calls":[{"index":0,"id":"t"}]}""", "Content", true)]
    [InlineData("""{"function_call":{"name":"f","arguments":""}}""", "Content", true)]
    [InlineData("""{"function_call":null,"audio":null,"images":null,"role":"assistant"}""", "Lifecycle", true)]
    [InlineData("""{"content":[{"type":"text","text":"a"}]}""", "Content", false)]
    [InlineData("""{"content":{"text":"a"}}""", "Content", false)]
    [InlineData("""{"audio":{"id":"x","data":"AA=="}}""", "Content", false)]
    [InlineData("""{"images":[{"url":"x"}]}""", "Content", false)]
    [InlineData("""{"tool_calls":[{"index":0,"function":{"name":"f","arguments":null}}]}""", "Content", true)]
    [InlineData("""{"tool_calls":[{"index":0,"function":{"name":"f","arguments":{"a":1}}}]}""", "Content", false)]
    public void Delta_IsOutputOrNot_AndCanBeComparedOrNot(string delta, string meaning, bool canSplice)
    {
        using var reader = Chat.NewReader();
        Assert.Equal(meaning, reader.Read($$"""{"choices":[{"index":0,"delta":{{delta}},"finish_reason":null}]}""").ToString());
        Assert.Equal(canSplice, reader.CanSplice);
        Assert.Equal(meaning == "Content", reader.Delivered != DeliveredKind.Nothing);
        Assert.Equal(EventMeaning.Content, reader.Read("""{"choices":[{"index":0,"delta":{"content":"b"}}]}"""));
    }

    [Fact]
    public void MembersThatNobodyKnows_HideNothing()
    {
        using var reader = Chat.NewReader();
        Assert.Equal(EventMeaning.Content, reader.Read(
            """{"x":{"choices":[1]},"y":1,"choices":[{"x":{"index":7},"y":1,"index":0,"logprobs":null,"z":[1],"delta":{"x":{"content":"no"},"y":2,"role":"assistant","content":"a","z":[{}]},"v":1}],"z":[1],"v":{}}"""));
        Assert.Equal(EventMeaning.Content, reader.Read(
            """{"choices":[{"index":0,"delta":{"tool_calls":[{"x":{"arguments":"no"},"y":1,"index":0,"id":"t","type":"function","function":{"x":{"name":"no"},"y":1,"name":"f","z":[1],"arguments":"{}","v":{}},"z":{}}],"x":1}}]}"""));

        var (verdict, rest) = Chat.Continue(reader, """{"id":"x","choices":[{"index":0,"message":{"content":"a","tool_calls":[{"id":"u","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}""");
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.DoesNotContain("\"content\"", rest);
        Assert.DoesNotContain("\"tool_calls\":", rest);
    }

    [Theory]
    [InlineData("\"stop\"", "Finish")]
    [InlineData("\"\"", "Lifecycle")]
    [InlineData("null", "Lifecycle")]
    public void StopReason_Finishes(string reason, string meaning)
    {
        using var reader = Chat.NewReader();
        Assert.Equal(meaning, reader.Read($$"""{"choices":[{"index":0,"delta":{},"finish_reason":{{reason}}}]}""").ToString());
        Assert.Equal(meaning == "Finish", reader.IsFinished);
    }

    [Fact]
    public void SeveralChoices_FinishWithTheLast()
    {
        using var reader = new GuardedStream(new OpenAIChatFormat(), """{"n":2,"stream":true}""").NewReader();
        Assert.Equal(EventMeaning.Content, reader.Read("""{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"""));
        Assert.False(reader.IsFinished);
        Assert.Equal(EventMeaning.Content, reader.Read("""{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\"a\":"}}]}}]}"""));
        Assert.Equal(DeliveredKind.ToolCallInFlight, reader.Delivered);
        Assert.Equal(EventMeaning.BrokenToolCall, reader.Read("""{"choices":[{"index":1,"delta":{},"finish_reason":"tool_calls"}]}"""));
        Assert.Equal(EventMeaning.BrokenToolCall | EventMeaning.Done, reader.Read("[DONE]"));
        Assert.Equal(EventMeaning.Content | EventMeaning.Finish, reader.Read("""{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}"""));
        Assert.True(reader.IsFinished);
        Assert.Equal(DeliveredKind.ToolCallComplete, reader.Delivered);
    }

    [Fact]
    public void ChoiceThatFinishes_IsNotJudgedByTheCallOfAnother()
    {
        using var reader = new GuardedStream(new OpenAIChatFormat(), """{"n":2,"stream":true}""").NewReader();
        reader.Read("""{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\"a\":"}}]}}]}""");
        Assert.Equal(EventMeaning.Content, reader.Read("""{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"""));
    }

    [Fact]
    public void CallsThatTakeTurns_CannotBeJoined()
    {
        using var reader = Chat.NewReader();
        reader.Read(Arguments(0, "{"));
        reader.Read(Arguments(1, "{"));
        Assert.True(reader.CanSplice);
        reader.Read(Arguments(0, "}"));
        Assert.False(reader.CanSplice);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"index\":null,")]
    public void PieceWithoutIndex_BelongsToTheLastCall(string index)
    {
        using var reader = Chat.NewReader();
        reader.Read(Arguments(0, "{}"));
        reader.Read(Arguments(1, "{"));
        reader.Read($$$"""{"choices":[{"index":0,"delta":{"tool_calls":[{{{{index}}}"function":{"arguments":"}"}}]}}]}""");
        Assert.True(reader.CanSplice);
        Assert.Equal("{}", Encoding.UTF8.GetString(((OpenAIChatReader)reader).Choices[0].ToolCalls[1].Arguments.Span));
    }

    [Fact]
    public void EventThatIsNotPassedOn_LeavesNothing()
    {
        using var reader = (OpenAIChatReader)Chat.NewReader();
        reader.Read("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t"}]}}]}""");
        Assert.Equal(EventMeaning.Malformed, reader.Read(
            """{"choices":[{"index":0,"delta":{"content":"x","tool_calls":[{"index":0,"function":{"name":"no","arguments":"no"}},{"index":1,"function":{"name":"no"}}]}},{"index":1,"delta":{"content":"x"}},"no object"]}"""));
        Assert.Equal(0, reader.KeptBytes);
        Assert.Equal(EventMeaning.Content, reader.Read("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}"""));

        var (verdict, rest) = Chat.Continue(reader, """{"choices":[{"index":0,"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}""");
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Contains("""{"index":0,"function":{"arguments":"}"}}""", rest, StringComparison.Ordinal);
    }

    [Fact]
    public void HeldEndThatIsDropped_LeavesNothing()
    {
        using var reader = (OpenAIChatReader)Chat.NewReader(terminal: TerminalProfile.Done);
        reader.Read("""{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\"a\":"}}]}}]}""");
        var kept = reader.KeptBytes;
        var end = reader.Read("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"},{"index":1,"delta":{"content":"c"},"finish_reason":"stop"}]}""");
        Assert.Equal(EventMeaning.Content | EventMeaning.Hold, end);
        Assert.Equal(EventMeaning.Hold, reader.Read(""));

        reader.DropHeld();

        Assert.Equal((1, kept), (reader.Choices.Count, reader.KeptBytes));
        Assert.Equal(DeliveredKind.ToolCallInFlight, reader.Delivered);
        Assert.Equal(EventMeaning.Lifecycle, reader.Read(""));
        var (verdict, rest) = Chat.Continue(reader, """{"choices":[{"index":0,"message":{"content":"a","tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}]}""");
        Assert.Equal(AnswerVerdict.Usable, verdict);
        Assert.Contains("""{"index":0,"function":{"arguments":"1}"}}""", rest, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("abcde")]
    [InlineData("ab\\\"de")] // escaped, so no chunk is like the one before
    public void TextBeyondTheBound_IsNotKept(string five)
    {
        using var reader = Chat.NewReader(maxDeliveredBytes: five.Contains('\\', StringComparison.Ordinal) ? 11 : 10);
        var chunk = $$$"""{"choices":[{"index":0,"delta":{"content":"{{{five}}}"}}]}""";
        Assert.Equal(EventMeaning.Content, reader.Read(chunk));
        Assert.Equal(EventMeaning.Content, reader.Read(chunk));
        Assert.True(reader.CanSplice);
        var kept = reader.KeptBytes;
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(EventMeaning.Content, reader.Read(chunk));
            Assert.False(reader.CanSplice);
            Assert.Equal(kept, reader.KeptBytes);
        }

        // What is not kept is not known to be broken.
        Assert.Equal(EventMeaning.Finish, reader.Read("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"""));
    }

    [Fact]
    public void TextThatIsNoText_CannotBeCompared_HoweverOftenItsLikeWasSeen()
    {
        using var reader = Chat.NewReader();
        var data = """{"choices":[{"index":0,"delta":{"content":"?"}}]}"""u8.ToArray();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(EventMeaning.Content, reader.Read(new StreamEvent(default, default, data, hasData: true)));
        }

        Assert.True(reader.CanSplice);
        data[data.AsSpan().IndexOf((byte)'?')] = 0xFF;
        reader.Read(new StreamEvent(default, default, data, hasData: true));
        Assert.False(reader.CanSplice);
    }

    private static string Arguments(int index, string piece) =>
        $$$"""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":{{{index}}},"function":{"arguments":"{{{piece}}}"}}]}}]}""";
}
