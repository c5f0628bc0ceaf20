using System.Text;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;
using Xunit;

namespace ProxyGateway.Tests.Sse;

public sealed class EventParserTests
{
    [Theory]
    [InlineData("event: delta\ndata: a\n\n", "delta")]
    [InlineData("data: a\nevent:delta\n\n", "delta")]
    [InlineData("event: first\nevent: last\ndata: a\n\n", "last")]
    [InlineData("event: first\nevent\ndata: a\n\n", "")]
    [InlineData("events: no\ndata: a\n\n", "")]
    [InlineData("data: a\n\n", "")]
    public void Type_IsTheLastOne(string raw, string type) => Assert.Equal((type, "a", true), Parse(raw, StreamFraming.ServerSentEvents));

    [Theory]
    [InlineData("data\n\n", "")]
    [InlineData("data:\n\n", "")]
    [InlineData("data: \n\n", "")]
    [InlineData("data:a\ndata\n\n", "a\n")]
    [InlineData("data\ndata: a\n\n", "\na")]
    public void EmptyDataLines_AreData(string raw, string data) => Assert.Equal(("", data, true), Parse(raw, StreamFraming.ServerSentEvents));

    [Theory]
    [InlineData(": a comment\n\n")]
    [InlineData("event: ping\n\n")]
    [InlineData("datum: a\n\n")]
    [InlineData("\n")]
    public void NoDataLine_IsNoData(string raw) => Assert.False(Parse(raw, StreamFraming.ServerSentEvents).HasData);

    [Theory]
    [InlineData("{}\n", "{}", true)]
    [InlineData("\uFEFF{}\r\n", "{}", true)]
    [InlineData("\r\n", "", false)]
    public void JsonLine_IsItsDataWithoutTheLineEnd(string raw, string data, bool hasData) =>
        Assert.Equal(("", data, hasData), Parse(raw, StreamFraming.JsonLines));

    [Theory]
    [InlineData("id: 7\ndata: a\n\n", "7")]
    [InlineData("data: a\r\nid:7\r\n\r\n", "7")]
    [InlineData("data: a\rid: 7", "7")]
    [InlineData("id: 6\nid: 7\n\n", "7")]
    [InlineData("id: 7\nid\n\n", "")]
    [InlineData("id:  7\n\n", " 7")]
    [InlineData("identity: 7\ndata: id\n\n", null)]
    [InlineData("", null)]
    public void Field_IsTheLastLineOfThatName(string raw, string? expected)
    {
        Assert.Equal(expected is not null, EventParser.TryFindField(Encoding.UTF8.GetBytes(raw), "id"u8, out var value));
        Assert.Equal(expected ?? "", Encoding.UTF8.GetString(value));
    }

    private static (string Type, string Data, bool HasData) Parse(string raw, StreamFraming framing)
    {
        using var scratch = new PooledBuffer();
        scratch.Append("of another event"u8);
        var e = EventParser.Parse(framing, Encoding.UTF8.GetBytes(raw), isFirst: true, scratch);
        return (Encoding.UTF8.GetString(e.Type), Encoding.UTF8.GetString(e.Data), e.HasData);
    }
}
