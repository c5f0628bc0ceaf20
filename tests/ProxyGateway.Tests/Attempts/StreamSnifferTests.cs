using System.Text;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

public sealed class StreamSnifferTests
{
    private static readonly ChatFormat Format = ChatFormatRegistry.Find("openai-chat")!;

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
}
