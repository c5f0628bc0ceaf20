using System.Net.ServerSentEvents;
using System.Text;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>
/// Framer and parser against <see cref="SseParser"/> and against the checker's own reading: the same events with the same data,
/// however the bytes come, and every byte in exactly one event.
/// </summary>
internal sealed class EventStreamTarget : FuzzTarget
{
    private static readonly byte[][] Pieces =
    [
        .. Words.LineEnds, .. Words.LineEnds, .. Words.LineEnds, .. Words.Fields, .. Words.Spaces, .. Words.Events,
        "data"u8.ToArray(), "data:"u8.ToArray(), "data: "u8.ToArray(), "data: a"u8.ToArray(), "event"u8.ToArray(), "event:x"u8.ToArray(), ":"u8.ToArray(), " "u8.ToArray(), "é"u8.ToArray(), [0xFF], [0xEF], [0xBB], [0xBF], [0xEF, 0xBB, 0xBF], [0],
    ];

    private readonly PooledBuffer _scratch = new();

    public override string Name => "sse";

    public override int ShortRuns => 10_000;

    public override FuzzInput Make(FuzzRandom random)
    {
        List<byte> bytes = [];
        for (var pieces = random.Below(24); pieces > 0; pieces--)
        {
            bytes.AddRange(random.OneIn(12) ? [(byte)random.Next()] : random.Pick(Pieces));
        }

        return new FuzzInput(random.Next(), [.. bytes]);
    }

    public override string? Check(FuzzInput input)
    {
        var bytes = input.Parts[0];
        var whole = Read(bytes, null, out var framed);
        if (Read(bytes, input.Random, out var framedInPieces) is var inPieces && !inPieces.SequenceEqual(whole))
        {
            return $"in pieces other events: \"{Show(inPieces)}\", not \"{Show(whole)}\"";
        }

        if (framed != framedInPieces)
        {
            return $"in pieces {framedInPieces} bytes are framed, not {framed}";
        }

        var blocks = SseBlock.ReadAll(bytes, out var remainder);
        var checkers = blocks.Where(b => b.HasData).Select(b => (Type(b.EventName), Encoding.UTF8.GetString(b.Data))).ToList();
        // A mark before a line end makes that line empty, and a block of its own, or no block at all; it says nothing either way.
        if (!checkers.SequenceEqual(whole) || (remainder != framed && !(bytes.Length > 3 && bytes[0] == 0xEF && bytes[3] is (byte)'\r' or (byte)'\n')))
        {
            return $"the checker reads \"{Show(checkers)}\" of {remainder} bytes, not \"{Show(whole)}\" of {framed}";
        }

        using var stream = new MemoryStream(bytes);
        var parsers = SseParser.Create(stream, (type, data) => Encoding.UTF8.GetString(data)).Enumerate().Select(e => (Type(e.EventType), e.Data)).ToList();
        // Where SseParser leaves WHATWG HTML 9.2.6: the type of a block without data goes on to the next block instead of being forgotten.
        var typesDiffer = blocks.Exists(b => !b.HasData && b.EventName.Length > 0);
        return (typesDiffer ? parsers.Select(e => e.Data).SequenceEqual(whole.Select(e => e.Data)) : parsers.SequenceEqual(whole))
            ? null
            : $"SseParser reads \"{Show(parsers)}\", not \"{Show(whole)}\"";
    }

    private List<(string Type, string Data)> Read(byte[] bytes, FuzzRandom? random, out int framed)
    {
        var framer = new EventFramer(StreamFraming.ServerSentEvents);
        List<(string, string)> events = [];
        var start = 0;
        var position = 0;
        void Take(ReadOnlySpan<byte> piece)
        {
            while (framer.FindEventEnd(piece) is > 0 and var length)
            {
                position += length;
                piece = piece[length..];
                var e = EventParser.Parse(StreamFraming.ServerSentEvents, bytes.AsSpan(start..position), start == 0, _scratch);
                start = position;
                if (e.HasData)
                {
                    events.Add((Type(Encoding.UTF8.GetString(e.Type)), Encoding.UTF8.GetString(e.Data)));
                }
            }

            position += piece.Length;
        }

        if (random is null)
        {
            Take(bytes);
        }
        else
        {
            Cuts.Push(bytes, random, Take);
        }

        framed = start;
        return events;
    }

    private static string Type(string type) => type.Length == 0 ? SseParser.EventTypeDefault : type;

    private static string Show(List<(string Type, string Data)> events) => string.Join('|', events.Select(e => $"{e.Type}={e.Data}"));
}
