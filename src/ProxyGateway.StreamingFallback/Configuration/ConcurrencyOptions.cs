namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>How many exchanges may be in flight at a time, at one cluster or in all.</summary>
public sealed class ConcurrencyOptions
{
    /// <summary>Exchanges in flight at a time; 0 is no limit. Default: 0. Range: 0 to 1000000.</summary>
    public int Limit { get; set; }

    /// <summary>Exchanges that may wait for a place; what comes beyond is refused at once. Default: 32. Range: 0 to 100000.</summary>
    public int Queue { get; set; } = 32;

    /// <summary>The longest wait for a place. Default: 00:00:01. Range: 00:00:00.01 to 00:01:00.</summary>
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>A validated, immutable copy of <see cref="ConcurrencyOptions"/>.</summary>
internal sealed record ConcurrencySettings(int Limit, int Queue, TimeSpan QueueTimeout)
{
    /// <exception cref="InvalidOperationException">A value is out of its documented range; the message names the option.</exception>
    public static ConcurrencySettings From(ConcurrencyOptions o, string path = "Concurrency")
    {
        var block = new OptionBlock(path);
        return new(
            block.Within(o.Limit, 0, 1_000_000),
            block.Within(o.Queue, 0, 100_000),
            block.Within(o.QueueTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1)));
    }
}
