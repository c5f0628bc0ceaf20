using System.Globalization;

namespace ProxyGateway.Backplane;

/// <summary>What a replica writes while a circuit of its own is open: who it is, and for how long.</summary>
/// <param name="Instance">The replica.</param>
/// <param name="Remaining">Of the break.</param>
internal readonly record struct CircuitHint(string Instance, TimeSpan Remaining)
{
    /// <summary>As many bytes are read; the longest that is written has fewer.</summary>
    public const int MaxBytes = 64;

    private const string Version = "1";
    private const int InstanceLength = 16;

    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static string NewInstance() => Guid.NewGuid().ToString("N")[..InstanceLength];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Instance} {(long)Math.Ceiling(Remaining.TotalMilliseconds)}");

    /// <summary>Anybody may have written it: false for all but what <see cref="ToString"/> makes.</summary>
    public static bool TryParse(string text, out CircuitHint hint)
    {
        hint = default;
        if (text.Length >= MaxBytes
            || text.Split(' ') is not [Version, { Length: InstanceLength } instance, var digits]
            || !instance.All(char.IsAsciiHexDigitLower)
            || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || milliseconds <= 0
            || milliseconds > Longest.TotalMilliseconds)
        {
            return false;
        }

        hint = new CircuitHint(instance, TimeSpan.FromMilliseconds(milliseconds));
        return true;
    }
}
