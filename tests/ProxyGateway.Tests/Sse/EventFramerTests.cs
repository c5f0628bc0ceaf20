using System.Text;
using CsCheck;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.Sse;

public sealed class EventFramerTests
{
    [Theory]
    [InlineData("data: a\n\ndata: b\n\n", "a|b")]
    [InlineData("data: a\r\n\r\ndata: b\r\n\r\n", "a|b")]
    [InlineData("data: a\r\rdata: b\r\r", "a|b")]
    [InlineData("data: a\n\r\ndata: b\r\n\n", "a|b")]
    [InlineData("data:a\ndata: b\n\n", "a\nb")]
    [InlineData("data\n\n", "")]
    [InlineData("\uFEFFdata: a\n\n", "a")]
    [InlineData(": comment\ndata: a\n\n", "a")]
    [InlineData("data:  two\n\n", " two")]
    [InlineData("database: no\ndata: yes\n\n", "yes")]
    [InlineData("data: a\n\n\uFEFFdata: b\n\n", "a")]
    [InlineData("data: a\ndata: b\ndata: c\n\ndata: d\ndata: e\n\n", "a\nb\nc|d\ne")]
    [InlineData("data: unfinished\n", "")]
    public void Streams_GiveTheirData_HoweverTheyAreCut(string stream, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        foreach (var size in new[] { 1, 2, 3, 7, bytes.Length })
        {
            var events = FramedEvents.Read(FramedEvents.Cut(bytes, size));
            Assert.Equal(expected, string.Join('|', events.Where(e => e.HasData).Select(e => e.Data)));
        }
    }

    [Fact]
    public void EveryByte_BelongsToExactlyOneEvent_HoweverCut() => Gen.Char["ad:t \r\n\r\n"].Array[0, 60].Select(Gen.Int[1, 9]).Sample(
        (chars, size) =>
        {
            var bytes = Encoding.UTF8.GetBytes(chars);
            var whole = FramedEvents.Read([bytes]);
            var cut = FramedEvents.Read(FramedEvents.Cut(bytes, size));
            Assert.Equal(Data(whole), Data(cut));
            var framed = cut.SelectMany(e => e.Raw).ToArray();
            Assert.Equal(bytes[..framed.Length], framed);
        },
        iter: 20_000);

    [Fact]
    public void EventEndedByCr_IsWholeAtOnce_AndItsLfComesAsAnEmptyEvent()
    {
        var events = FramedEvents.Read(["data: a\r\n\r"u8.ToArray(), "\ndata: b\r\n\r\n"u8.ToArray()]);
        Assert.Equal(["data: a\r\n\r", "\n", "data: b\r\n\r\n"], events.Select(e => Encoding.UTF8.GetString(e.Raw)));
        Assert.False(events[1].HasData);
    }

    [Theory]
    [InlineData("data: a\r\r", true)]
    [InlineData("data: a\n\r", true)]
    [InlineData("data: a\r", false)]
    [InlineData("data: a\n\n", false)]
    [InlineData("data: a\r\r\n", false)]
    [InlineData("data: a\r\rd", false)]
    public void LineFeed_IsOwedWhileTheEventEndedWithACarriageReturnAndNothingCameSince(string stream, bool owed)
    {
        var framer = new EventFramer(StreamFraming.ServerSentEvents);
        foreach (var piece in FramedEvents.Cut(Encoding.UTF8.GetBytes(stream), 1))
        {
            framer.FindEventEnd(piece);
        }

        Assert.Equal(owed, framer.OwesLineFeed);
        framer.FindEventEnd([]);
        Assert.Equal(owed, framer.OwesLineFeed);
    }

    [Fact]
    public void ConformanceCases_GiveTheirEvents_HoweverTheyAreCut()
    {
        if (SharedData.Require() is not { } folder)
        {
            Assert.Skip("the shared data is not here");
            return;
        }

        var cases = SseCases.Load(folder);
        Assert.True(cases.Count >= 30, $"{cases.Count} cases");
        foreach (var c in cases)
        {
            foreach (var chunks in new[] { c.Chunks, [.. FramedEvents.Cut(c.Whole, 1)], [c.Whole] })
            {
                var got = FramedEvents.Read(chunks).Where(e => e.HasData).Select(e => (e.Type is "" ? "message" : e.Type, e.Data)).ToList();
                // The specification does not dispatch an event whose data is empty.
                Assert.Equal(c.Events.Select(e => (e.Event is null or "" ? "message" : e.Event, e.Data)).Where(e => e.Data.Length > 0), got.Where(e => e.Data.Length > 0));
            }
        }
    }

    [Fact]
    public void JsonLines_AreEventsByLine()
    {
        var events = FramedEvents.Read(FramedEvents.Cut("{\"a\":1}\n{\"b\":2}\r\n"u8.ToArray(), 3), StreamFraming.JsonLines);
        Assert.Equal(["{\"a\":1}", "{\"b\":2}"], events.Where(e => e.HasData).Select(e => e.Data));
    }

    [Fact]
    public void JsonLine_EndsWithItsLineFeedAndNothingElse()
    {
        // Ollama's clients cut at LF: what follows a CR would be half of the same line to them.
        var bytes = "{\"a\":\r1}\r\n{\"b\":2}\r"u8.ToArray();
        foreach (var size in (int[])[1, 3, bytes.Length])
        {
            var events = FramedEvents.Read(FramedEvents.Cut(bytes, size), StreamFraming.JsonLines);
            Assert.Equal(["{\"a\":\r1}\r\n"], events.Select(e => System.Text.Encoding.UTF8.GetString(e.Raw)));
            Assert.Equal("{\"a\":\r1}", events[0].Data);
        }
    }

    private static List<(string, string)> Data(List<(string Type, string Data, bool HasData, byte[] Raw)> events) =>
        [.. events.Where(e => e.HasData).Select(e => (e.Type, e.Data))];
}
