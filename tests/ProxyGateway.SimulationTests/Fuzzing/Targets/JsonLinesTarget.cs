using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>Framer and parser for JSON lines against a plain split at LF, however the bytes come.</summary>
internal sealed class JsonLinesTarget : FuzzTarget
{
    private static readonly byte[][] Pieces = [.. Words.LineEnds, .. Words.Lines, .. Words.Spaces, .. Words.Values, "\n"u8.ToArray(), "\n"u8.ToArray()];

    private readonly PooledBuffer _scratch = new();

    public override string Name => "json-lines";

    public override int ShortRuns => 10_000;

    public override FuzzInput Make(FuzzRandom random)
    {
        List<byte> bytes = [];
        for (var pieces = random.Below(16); pieces > 0; pieces--)
        {
            bytes.AddRange(random.OneIn(8) ? [(byte)random.Next()] : random.Pick(Pieces));
        }

        return new FuzzInput(random.Next(), [.. bytes]);
    }

    public override string? Check(FuzzInput input)
    {
        var bytes = input.Parts[0];
        List<byte[]> expected = [];
        for (int start = 0, end; (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1)
        {
            var from = start == 0 && bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : start;
            while (end > from && bytes[end - 1] == '\r')
            {
                end--;
            }

            expected.Add(end >= from ? bytes[from..end] : []);
            end = Array.IndexOf(bytes, (byte)'\n', start);
        }

        List<byte[]> got = [];
        var framer = new EventFramer(StreamFraming.JsonLines);
        int at = 0, begun = 0;
        Cuts.Push(bytes, input.Random, piece =>
        {
            while (framer.FindEventEnd(piece) is > 0 and var length)
            {
                at += length;
                piece = piece[length..];
                var e = EventParser.Parse(StreamFraming.JsonLines, bytes.AsSpan(begun..at), begun == 0, _scratch);
                begun = at;
                if (e.HasData == e.Data.IsEmpty || !e.Type.IsEmpty)
                {
                    throw new InvalidOperationException("a line says of itself what it is not");
                }

                got.Add(e.Data.ToArray());
            }

            at += piece.Length;
        });
        return got.Count == expected.Count && got.Zip(expected).All(p => p.First.AsSpan().SequenceEqual(p.Second)) ? null : $"{got.Count} lines or other ones, not {expected.Count}";
    }
}
