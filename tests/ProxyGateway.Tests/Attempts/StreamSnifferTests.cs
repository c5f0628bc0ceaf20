using System.Text;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

public sealed class StreamSnifferTests
{
    private static readonly ChatFormat Format = ChatFormatRegistry.Find("openai-chat")!;

    private static readonly ChatFormat Lines = ChatFormatRegistry.Find("ollama")!;

    [Theory]
    [InlineData("data: {}")]
    [InlineData("event: x")]
    [InlineData(": hi")]
    [InlineData("\n\ndata: {}")]
    [InlineData("\uFEFFdata: {}")]
    public void StreamWithoutAType_IsKnownHoweverItIsCut(string stream)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.NotEqual(false, StreamSniffer.IsStream(Format, "", bytes.AsSpan(0, length)));
        }

        Assert.True(StreamSniffer.IsStream(Format, "", bytes));
    }

    [Theory]
    [InlineData("{\"id\":1}")]
    [InlineData("<html>")]
    [InlineData("date: 1")]
    public void SomethingElseWithoutAType_IsNoStream(string body) =>
        Assert.False(StreamSniffer.IsStream(Format, "", Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Type_CountsMoreThanTheBytes()
    {
        Assert.True(StreamSniffer.IsStream(Format, "text/event-stream", []));
        Assert.False(StreamSniffer.IsStream(Format, "application/json", "data: {}"u8));
    }

    [Theory]
    [InlineData("{\"done\":false}\n")]
    [InlineData("\uFEFF\n {\"a\":{\"b\":[1,\"}\"]}}\r\n{\"don")]
    public void JsonLinesSentAsJson_AreAStreamOnceTheFirstLineIsWhole(string stream)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        var whole = stream.IndexOf("}\n", StringComparison.Ordinal) is var lf and > 0 ? Encoding.UTF8.GetByteCount(stream[..(lf + 2)]) : Encoding.UTF8.GetByteCount(stream[..(stream.IndexOf("}\r\n", StringComparison.Ordinal) + 3)]);
        for (var length = 3; length < whole; length++)
        {
            Assert.Null(StreamSniffer.IsStream(Lines, "application/json; charset=utf-8", bytes.AsSpan(0, length)));
        }

        Assert.True(StreamSniffer.IsStream(Lines, "application/json; charset=utf-8", bytes));
    }

    [Theory]
    [InlineData("{\n  \"message\": {}\n}\n")]
    [InlineData("[1]\n")]
    [InlineData("<html>")]
    [InlineData("{\"a\":1}{\"b\":2}\n")]
    [InlineData("{\"a\":1,}\n")]
    public void AnswerSentAsJson_IsNoStreamOfLines(string body) =>
        Assert.False(StreamSniffer.IsStream(Lines, "application/json", Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void LongFirstLineSentAsJson_IsAnAnswer()
    {
        Assert.Null(StreamSniffer.IsStream(Lines, "application/json", Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', 60_000))));
        Assert.False(StreamSniffer.IsStream(Lines, "application/json", Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', 70_000))));
    }
}
