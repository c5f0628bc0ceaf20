using System.Buffers;
using System.Text;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.Tests.Allocations;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats;

/// <summary>One request of one format whose streams are sent through a guard, and what came out of it.</summary>
internal sealed class GuardedStream(ChatFormat format, string requestBody, string path = "/")
{
    private const int MaxBytes = 1 << 20;

    public ChatFormat Format => format;

    public ChatRequest Request { get; } = ReadRequest(format, requestBody, path);

    public static ChatRequest ReadRequest(ChatFormat format, string body, string path = "/")
    {
        Assert.Null(format.ReadRequest(Encoding.UTF8.GetBytes(body), path, out var request));
        return request;
    }

    public ChatStreamReader NewReader(int maxDeliveredBytes = MaxBytes, TerminalProfile terminal = TerminalProfile.Auto) =>
        format.NewReader(Request, maxDeliveredBytes, terminal);

    /// <summary>Sends <paramref name="stream"/> in pieces of <paramref name="pieceBytes"/> (0: at once) and ends it with <paramref name="end"/>.</summary>
    public Outcome Run(ReadOnlySpan<byte> stream, int pieceBytes = 0, FaultKind end = FaultKind.None, TerminalProfile terminal = TerminalProfile.Auto)
    {
        var reader = NewReader(terminal: terminal);
        using var guard = new StreamGuard(format, reader, MaxBytes);
        var output = new ArrayBufferWriter<byte>();
        var piece = pieceBytes == 0 ? Math.Max(stream.Length, 1) : pieceBytes;
        for (var i = 0; i < stream.Length; i += piece)
        {
            guard.Push(stream.Slice(i, Math.Min(piece, stream.Length - i)), output);
        }

        var beforeEnd = guard.State;
        guard.End(end, output);
        return new Outcome(output.WrittenSpan.ToArray(), guard.State, guard.Fault, beforeEnd, reader);
    }

    public Outcome Run(string stream, int pieceBytes = 0, FaultKind end = FaultKind.None, TerminalProfile terminal = TerminalProfile.Auto) =>
        Run(Encoding.UTF8.GetBytes(stream), pieceBytes, end, terminal);

    /// <summary>The bytes that lead from what was delivered to the end of <paramref name="answer"/>.</summary>
    public (AnswerVerdict Verdict, string Text) Continue(ChatStreamReader? delivered, string answer)
    {
        var output = new ArrayBufferWriter<byte>();
        var verdict = format.Continue(Request, delivered, Encoding.UTF8.GetBytes(answer), output);
        return (verdict, Encoding.UTF8.GetString(output.WrittenSpan));
    }

    /// <summary>What a client has when <paramref name="delivered"/> (a stream that dies) is continued with <paramref name="answer"/>.</summary>
    public (AnswerVerdict Verdict, string Client) Recover(string delivered, string answer)
    {
        var outcome = Run(delivered, end: FaultKind.ConnectionReset);
        Assert.Equal(GuardState.Faulted, outcome.State);
        var (verdict, text) = Continue(outcome.DeliveredOrNull, answer);
        return (verdict, outcome.Text + text);
    }

    /// <summary>
    /// Cuts <paramref name="stream"/> after every byte, continues it with <paramref name="answer"/> and checks that the
    /// client then reads what <paramref name="decode"/> reads of the whole stream, and a stream that a guard finds complete.
    /// </summary>
    public void AssertEveryCutRecovers(string stream, string answer, Func<string, string> decode)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        var whole = decode(stream);
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            var outcome = Run(bytes.AsSpan(0, cut), end: FaultKind.ConnectionReset);
            var client = outcome.Text;
            if (outcome.State == GuardState.Faulted)
            {
                var (verdict, text) = Continue(outcome.DeliveredOrNull, answer);
                Assert.True(verdict == AnswerVerdict.Usable, $"{verdict} after a cut at byte {cut}");
                client += text;
            }

            Assert.True(whole == decode(client), $"Cut at byte {cut}: expected\n{whole}\nbut the client reads\n{decode(client)}\nfrom\n{client}");
            var again = Run(client);
            Assert.Equal(GuardState.Done, again.State);
            Assert.Equal(client, again.Text);
        }
    }

    /// <summary>Checks that pieces of any size let the same bytes through and end the same way.</summary>
    public Outcome AssertPiecesDoNotMatter(ReadOnlySpan<byte> stream)
    {
        var whole = Run(stream);
        foreach (var size in (ReadOnlySpan<int>)[1, 7, 64])
        {
            var inPieces = Run(stream, size);
            Assert.Equal(whole.Text, inPieces.Text);
            Assert.Equal((whole.State, whole.Fault), (inPieces.State, inPieces.Fault));
        }

        return whole;
    }

    /// <summary>
    /// Damages one to three bytes of <paramref name="stream"/>, many times over: whatever it then says, nothing throws, the same
    /// bytes go through in pieces of any size, and what can still be continued becomes a complete stream.
    /// </summary>
    public void AssertDamageIsSurvived(string stream, string answer)
    {
        var random = new Random(20260101);
        for (var round = 0; round < 1_500; round++)
        {
            var bytes = Encoding.UTF8.GetBytes(stream);
            for (var i = random.Next(3); i >= 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)"\"\\{}[]:,\n\r 0aZ\u00FF"[random.Next(15)];
            }

            var outcome = Run(bytes, end: FaultKind.ConnectionReset);
            var inPieces = Run(bytes, 5, end: FaultKind.ConnectionReset);
            Assert.Equal(outcome.Text, inPieces.Text);
            Assert.Equal((outcome.State, outcome.Fault), (inPieces.State, inPieces.Fault));
            if (outcome.State == GuardState.Faulted && Continue(outcome.DeliveredOrNull, answer) is (AnswerVerdict.Usable, var rest))
            {
                Assert.Equal(GuardState.Done, Run(outcome.Text + rest).State);
            }
        }
    }

    /// <summary>Bytes that the reader allocates on 10,000 events, after <paramref name="first"/> and as many to warm up.</summary>
    public long AllocatedBy(string ordinaryEvent, string? first = null)
    {
        var data = Encoding.UTF8.GetBytes(ordinaryEvent);
        using var reader = NewReader(maxDeliveredBytes: 4096);
        if (first is not null)
        {
            reader.Read(first);
        }

        Read(reader, data);
        return Allocated.Least(() => Read(reader, data));
    }

    private static void Read(ChatStreamReader reader, byte[] data)
    {
        for (var i = 0; i < 10_000; i++)
        {
            if (reader.Read(new StreamEvent(data, default, data, hasData: true)) != EventMeaning.Content)
            {
                throw new InvalidOperationException("Not an ordinary text event.");
            }
        }
    }

    internal sealed record Outcome(byte[] Output, GuardState State, FaultKind Fault, GuardState BeforeEnd, ChatStreamReader Reader)
    {
        public string Text => Encoding.UTF8.GetString(Output);

        public ChatStreamReader? DeliveredOrNull => Reader.Delivered == DeliveredKind.Nothing ? null : Reader;
    }
}
