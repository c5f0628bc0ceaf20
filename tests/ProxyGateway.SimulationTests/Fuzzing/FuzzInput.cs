using System.Text;

namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>What a target is given: bytes that can be made smaller, and a number that all its other choices come from.</summary>
internal sealed record FuzzInput(ulong Choices, params byte[][] Parts)
{
    /// <summary>The other choices; the same ones every time.</summary>
    public FuzzRandom Random => new(Choices);

    public int Length => Parts.Sum(p => p.Length);

    public FuzzInput With(int part, byte[] bytes) => this with { Parts = [.. Parts[..part], bytes, .. Parts[(part + 1)..]] };

    public override string ToString() => string.Join("\n  ", Parts.Select((p, i) => $"part {i}: \"{Text(p)}\""));

    private static string Text(byte[] bytes)
    {
        var text = new StringBuilder();
        foreach (var b in bytes)
        {
            text.Append(b switch
            {
                (byte)'\n' => "\\n",
                (byte)'\r' => "\\r",
                (byte)'\\' => "\\\\",
                >= 0x20 and < 0x7F => ((char)b).ToString(),
                _ => $"\\x{b:x2}",
            });
        }

        return text.ToString();
    }
}
