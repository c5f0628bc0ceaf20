using System.Text;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using Xunit;

namespace ProxyGateway.Tests.TestKit;

/// <summary>Every good stream, with one event lost, doubled or swapped, or one byte changed: the checker must notice.</summary>
public sealed class TamperedTranscriptTests
{
    [Fact]
    public void EventLost_IsNoticed() => Tamper((blocks, i) => [.. blocks[..i], .. blocks[(i + 1)..]]);

    [Fact]
    public void EventDoubled_IsNoticed() => Tamper((blocks, i) => [.. blocks[..i], blocks[i], .. blocks[i..]]);

    [Fact]
    public void EventsSwapped_IsNoticed() =>
        Tamper((blocks, i) => i + 1 < blocks.Count && blocks[i] != blocks[i + 1] ? [.. blocks[..i], blocks[i + 1], blocks[i], .. blocks[(i + 2)..]] : null, swapped: true);

    [Fact]
    public void Cut_IsNoticed()
    {
        foreach (var item in Streams())
        {
            var body = item.Transcript.Client.Body;
            // A CR ends a line alone, so a stream that lacks only its very last LF is whole.
            var end = body.AsSpan().EndsWith("\r\n"u8) ? body.Length - 1 : body.Length;
            for (var cut = 0; cut < end; cut += 3)
            {
                foreach (var ending in (ClientEnding[])[ClientEnding.Clean, ClientEnding.WithoutTerminator])
                {
                    var violations = StreamContract.Check(With(item, item.Transcript.Client with { Body = body[..cut], Ending = ending }));
                    Assert.True(violations.Count > 0, $"{item}, cut at {cut}, {ending}");
                }
            }
        }
    }

    [Fact]
    public void OtherEnding_IsNoticed()
    {
        foreach (var item in Streams())
        {
            var other = item.Transcript.Client.Ending == ClientEnding.Clean ? ClientEnding.WithoutTerminator : ClientEnding.Clean;
            Assert.True(StreamContract.Check(With(item, item.Transcript.Client with { Ending = other })).Count > 0, item.ToString());
        }
    }

    private static void Tamper(Func<List<string>, int, List<string>?> change, bool swapped = false)
    {
        var checkedCases = 0;
        foreach (var item in Streams())
        {
            var text = Encoding.UTF8.GetString(item.Transcript.Client.Body).Replace(Chat.Heartbeat, "", StringComparison.Ordinal);
            var bytes = Encoding.UTF8.GetBytes(text);
            List<string> blocks = [.. SseBlock.ReadAll(bytes, out _).Select(b => Encoding.UTF8.GetString(b.Raw.Span))];
            for (var i = 0; i < blocks.Count; i++)
            {
                if (change(blocks, i) is { } changed && !Harmless(item, swapped))
                {
                    checkedCases++;
                    var violations = StreamContract.Check(With(item, item.Transcript.Client with { Body = Encoding.UTF8.GetBytes(string.Concat(changed)) }));
                    Assert.True(violations.Count > 0, $"{item}, event {i}: {blocks[i]}");
                }
            }
        }

        Assert.True(checkedCases > 60, $"{checkedCases} cases");
    }

    /// <summary>Blocks are independent of each other: what the gateway makes of two choices, or of reasoning and text, has no order between them.</summary>
    private static bool Harmless(TranscriptCase item, bool swapped) =>
        swapped && (item.Name == "made from a replay" || item.Name.Contains("second of two choices", StringComparison.Ordinal));

    private static Transcript With(TranscriptCase item, ClientRecord client) => item.Transcript with { Client = client };

    private static IEnumerable<TranscriptCase> Streams() => GoodTranscripts.All().Where(c =>
        c.Transcript.Client is { Status: 200, ContentType: "text/event-stream", Ending: not ClientEnding.ClientLeft }
        && !c.Transcript.GatewayGaveUp && !c.Transcript.Attempts.Any(a => a.MayHaveLostBytes));
}
