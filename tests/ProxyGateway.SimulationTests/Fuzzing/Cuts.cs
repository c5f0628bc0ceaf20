using System.Buffers;

namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>Ways in which bytes may come.</summary>
internal static class Cuts
{
    public delegate void Take(ReadOnlySpan<byte> piece);

    /// <summary>In pieces of one size, or of sizes as they come.</summary>
    public static void Push(byte[] bytes, FuzzRandom random, Take take)
    {
        var size = random.Below(4) switch
        {
            0 when bytes.Length < 2048 => 1,
            1 => 1 + random.Below(16),
            2 => 1 + random.Below(400),
            _ => 0,
        };
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(size > 0 ? size : random.Below(random.OneIn(3) ? 200 : 12), bytes.Length - at);
            take(bytes.AsSpan(at, length));
            at += length;
        }
    }

    /// <summary>What was written, as an array.</summary>
    public static byte[] Written(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }
}
