using System.Net.ServerSentEvents;
using System.Text;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.TestKit;

public sealed class SseBlockTests
{
    [Fact]
    public void ConformanceCase_GivesItsEvents()
    {
        foreach (var item in SseCases.Load(Folder()))
        {
            var got = SseBlock.ReadAll(item.Whole, out _).Where(b => b.HasData).Select(b => (b.EventName, Encoding.UTF8.GetString(b.Data)));
            // An event without data is none in the browser's API but is one on the wire; its suite counts neither.
            Assert.True(item.Events.Select(e => (e.Event is null or "message" ? "" : e.Event, e.Data)).SequenceEqual(got.Select(e => (e.EventName == "message" ? "" : e.EventName, e.Item2))), item.Name);
        }
    }

    [Fact]
    public void RecordedStream_ReadsAsThePlatformsOwnParserReadsIt()
    {
        foreach (var stream in RecordedStreams.Load(Folder()))
        {
            var theirs = SseParser.Create(new MemoryStream(stream.Bytes)).Enumerate().Select(e => e.Data).ToList();
            var ours = SseBlock.ReadAll(stream.Bytes, out _).Where(b => b.HasData).Select(b => Encoding.UTF8.GetString(b.Data)).ToList();
            Assert.True(theirs.SequenceEqual(ours), stream.Name);
        }
    }

    [Fact]
    public void Blocks_AreAllBytesButTheRemainder()
    {
        var bytes = "\uFEFF: hi\r\rdata: 1\r\n\r\ndata: 2\ndata: 3\n\n\ndata: half"u8.ToArray();
        var blocks = SseBlock.ReadAll(bytes, out var remainder);
        Assert.Equal(["\uFEFF: hi\r\r", "data: 1\r\n\r\n", "data: 2\ndata: 3\n\n", "\n"], blocks.Select(b => Encoding.UTF8.GetString(b.Raw.Span)));
        Assert.Equal("2\n3", Encoding.UTF8.GetString(blocks[2].Data));
        Assert.Equal("data: half", Encoding.UTF8.GetString(bytes[remainder..]));
    }

    private static string Folder()
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        return folder;
    }
}
