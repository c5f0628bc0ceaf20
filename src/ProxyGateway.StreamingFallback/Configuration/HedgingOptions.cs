namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>A second streaming attempt beside one whose first content is late, on another destination of the same cluster.</summary>
public sealed class HedgingOptions
{
    /// <summary>Whether a late attempt gets a second one beside it. Each costs tokens. Default: false.</summary>
    public bool Enabled { get; set; }

    /// <summary>An attempt is late when it has waited longer for its first content than this share of the cluster's latest ones. Default: 0.95. Range: 0.5 to 0.999.</summary>
    public double Percentile { get; set; } = 0.95;

    /// <summary>An attempt is late after this time, whatever was observed. Default: as <c>Percentile</c> says. Range: 00:00:00.001 to 00:10:00.</summary>
    public TimeSpan? Delay { get; set; }

    /// <summary>No attempt is late before this time, however quick the others were. Default: 00:00:00.1. Range: 00:00:00.001 to 00:10:00.</summary>
    public TimeSpan MinDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>First contents to observe before <c>Percentile</c> counts; until then no attempt is late. Default: 30. Range: 1 to 256.</summary>
    public int MinSamples { get; set; } = 30;
}

/// <summary>A validated, immutable copy of <see cref="HedgingOptions"/>.</summary>
internal sealed record HedgingSettings(bool Enabled, double Percentile, TimeSpan? Delay, TimeSpan MinDelay, int MinSamples)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <exception cref="InvalidOperationException">A value is out of its documented range; the message names the option.</exception>
    public static HedgingSettings From(HedgingOptions o, string path = "Hedging")
    {
        var block = new OptionBlock(path);
        return new(
            o.Enabled,
            block.Within(o.Percentile, 0.5, 0.999),
            o.Delay is { } delay ? block.Within(delay, Shortest, Longest, nameof(o.Delay)) : null,
            block.Within(o.MinDelay, Shortest, Longest),
            block.Within(o.MinSamples, 1, 256));
    }
}
