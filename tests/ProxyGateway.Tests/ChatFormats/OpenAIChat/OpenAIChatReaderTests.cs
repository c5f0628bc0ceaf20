using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats.OpenAIChat;

public sealed class OpenAIChatReaderTests
{
    private static readonly GuardedStream Chat = new(new OpenAIChatFormat(), """{"model":"m","stream":true}""");

    [Theory]
    [InlineData("""{"choices":[[""", "Malformed")]
    [InlineData("""{"choices":[[[[""", "Malformed")]
    [InlineData("""{"error":{"message":"m"}""", "Malformed")]
    [InlineData("""{"error":{}}]""", "Malformed")]
    [InlineData("""{"choices":[{"delta":{},"finish_reason":"error"}]""", "Malformed")]
    [InlineData("""{"choices":[{"delta":{},"finish_reason":"error"}]}""", "Error")]
    [InlineData("""{"choices":[null],"error":{"message":"m"}}""", "Malformed")]
    [InlineData("""{"choices":[{"delta":{"tool_calls":[[{}]]}}]}""", "Malformed")]
    [InlineData("""{"choices":{"a":[1]},"error":{"message":"m"}}""", "Error")]
    [InlineData("""{"choices":[{"delta":{},"finish_reason":[["x"]]}],"error":{"message":"m"}}""", "Error")]
    [InlineData("""{"choices":[{"delta":{"function_call":[1]}}],"error":{"message":"m"}}""", "Error")]
    [InlineData("""{"choices":[{"delta":{"tool_calls":[{"function":{"name":{"name":"a"},"arguments":{"name":"b"}}}]},"finish_reason":"stop"}]}""", "Content, Finish")]
    public void MembersOfOtherTypes_HideNothingThatStandsBehindThem(string chunk, string expected)
    {
        using var reader = Chat.NewReader();

        Assert.Equal(expected, reader.Read(chunk).ToString());
    }

    [Theory]
    [InlineData("[DONE]", "Done")]
    [InlineData("[DONE] ", "Done")]
    [InlineData(" [DONE]", "Malformed")]
    [InlineData("\t[DONE]", "Malformed")]
    [InlineData("\n[DONE]", "Malformed")]
    public void EndMarker_IsWhatClientsTakeForOne(string data, string expected)
    {
        using var reader = Chat.NewReader();
        reader.Read("""{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}""");

        Assert.Equal(expected, reader.Read(data).ToString());
    }

    [Theory]
    [InlineData("get", true)]
    [InlineData("", true)]
    [InlineData("put", false)]
    public void SecondNameOfACall_IsARepetitionOrCannotBeCompared(string second, bool canSplice)
    {
        using var reader = Chat.NewReader();
        reader.Read("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"get","arguments":""}}]}}]}""");
        reader.Read($$$"""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"{{{second}}}","arguments":"{"}}]}}]}""");

        Assert.Equal(canSplice, reader.CanSplice);
    }

    [Fact]
    public void MalformedEvent_TakesBackWhatItAddedToAnEarlierCall()
    {
        const string Calls = """[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]""";
        using var reader = Chat.NewReader();
        reader.Read($$$"""{"choices":[{"index":0,"delta":{"tool_calls":{{{Calls}}}}}]}""");

        Assert.Equal("Malformed", reader.Read("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}""").ToString());

        var (verdict, _) = Chat.Continue(reader, $$$"""{"id":"x","choices":[{"index":0,"message":{"role":"assistant","tool_calls":{{{Calls}}}},"finish_reason":"tool_calls"}]}""");
        Assert.Equal("Usable", verdict.ToString());
    }

    [Fact]
    public void LineEndOfTheEndMarker_IsTheSameInPiecesOfAnySize() => Chat.AssertPiecesDoNotMatter(
        Encoding.UTF8.GetBytes("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\r\r\r\n\r\n"));
}
