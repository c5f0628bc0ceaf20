using System.Buffers;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>
/// The relay of agents' event streams over several connections. However the bytes come: the same goes on, in whole events, all of
/// the first connection's, and nothing that did not come.
/// </summary>
internal sealed class RelayTarget : FuzzTarget
{
    private static readonly byte[][] Events =
    [
        .. Words.Events, .. Words.Fields,
        "event: message_update\ndata: {\"id\":0,\"message\":\"Hi\",\"role\":\"agent\",\"time\":\"t\"}\n\n"u8.ToArray(),
        "event: message_update\ndata: {\"id\":0,\"message\":\"Hi you\",\"role\":\"agent\",\"time\":\"t\"}\n\n"u8.ToArray(),
        "event: message_update\ndata: {\"id\":1,\"message\":\"\",\"role\":\"user\",\"time\":\"t\"}\n\n"u8.ToArray(),
        "event: status_change\ndata: {\"status\":\"running\"}\n\n"u8.ToArray(),
        "event: status_change\ndata: {\"status\":\"stable\"}\n\n"u8.ToArray(),
        "event: screen_update\ndata: {\"screen\":\"x\"}\n\n"u8.ToArray(),
        "id: 7\nevent: other\nretry: 250\ndata: {}\n\n"u8.ToArray(),
    ];

    public override string Name => "relay";

    public override FuzzInput Make(FuzzRandom random) =>
        new(random.Next(), [.. Enumerable.Range(0, 1 + random.Below(3)).Select(_ => Connection(random))]);

    public override string? Check(FuzzInput input)
    {
        var random = input.Random;
        // See ReaderTarget: one byte more or less, where CR LF is cut.
        var max = random.OneIn(4) && !input.Parts.Any(p => p.Contains((byte)'\r')) ? 20 + random.Below(100) : 1 << 20;
        var (whole, wholeState) = Run(input, max, null);
        var (pieces, piecesState) = Run(input, max, random);
        if (!whole.AsSpan().SequenceEqual(pieces) || wholeState != piecesState)
        {
            return $"in pieces {pieces.Length} bytes or others, {piecesState}, not {whole.Length}, {wholeState}";
        }

        SseBlock.ReadAll(whole, out var remainder);
        if (remainder != whole.Length)
        {
            return $"{whole.Length - remainder} bytes after the last event";
        }

        return whole.Length <= input.Length ? null : "more went on than came";
    }

    private static (byte[] Output, string State) Run(FuzzInput input, int max, FuzzRandom? pieces)
    {
        using var relay = new EventRelay(max);
        var output = new ArrayBufferWriter<byte>();
        for (var i = 0; i < input.Parts.Length; i++)
        {
            if (i > 0)
            {
                relay.Reconnect();
            }

            if (pieces is null)
            {
                relay.Push(input.Parts[i], output);
            }
            else
            {
                Cuts.Push(input.Parts[i], pieces, p => relay.Push(p, output));
            }
        }

        return (output.WrittenSpan.ToArray(), $"{relay.Fault} {relay.LastEventId} {relay.Retry}");
    }

    private static byte[] Connection(FuzzRandom random)
    {
        List<byte> bytes = [];
        for (var events = random.Below(8); events > 0; events--)
        {
            bytes.AddRange(random.Pick(Events));
        }

        return random.OneIn(2) ? [.. bytes] : Mutator.Stream([.. bytes], [.. bytes], isLines: false, random);
    }
}
