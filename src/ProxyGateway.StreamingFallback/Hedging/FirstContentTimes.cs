namespace ProxyGateway.StreamingFallback.Hedging;

/// <summary>
/// The latest times to first content of a cluster's first attempts, and their percentiles. Knows no clock: an old sample gives
/// way to a newer one, not to time. Thread-safe.
/// </summary>
/// <remarks>
/// What an attempt that was cut short by its hedge would have taken is not known. It is observed as the delay the hedge waited
/// for: if it were left out, the percentile would sink with every hedge that wins; if it were as long as it lasted, the
/// percentile would climb while one destination of several is down, which is when hedges are of use.
/// </remarks>
internal sealed class FirstContentTimes
{
    /// <summary>So many samples are looked at.</summary>
    public const int Capacity = 256;

    /// <summary>So many new samples change a percentile too little to sort again.</summary>
    private const int SortEvery = 8;

    private readonly Lock _gate = new();
    private long[]? _ticks;
    private int _count;
    private int _next;
    private (double Share, TimeSpan Value)? _sorted;
    private int _sinceSorted;

    public void Observe(TimeSpan toFirstContent)
    {
        lock (_gate)
        {
            // A cluster without hedging never comes here.
            _ticks ??= new long[Capacity];
            _ticks[_next] = toFirstContent.Ticks;
            _next = (_next + 1) % Capacity;
            _count = Math.Min(_count + 1, Capacity);
            _sinceSorted++;
        }
    }

    /// <summary>The time that <paramref name="share"/> of the samples do not exceed; null while there are fewer than <paramref name="minSamples"/>.</summary>
    public TimeSpan? Percentile(double share, int minSamples)
    {
        lock (_gate)
        {
            if (_ticks is null || _count < minSamples)
            {
                return null;
            }

            if (_sorted is { } known && known.Share == share && _sinceSorted < SortEvery)
            {
                return known.Value;
            }

            Span<long> sorted = stackalloc long[_count];
            _ticks.AsSpan(0, _count).CopyTo(sorted);
            sorted.Sort();
            var value = TimeSpan.FromTicks(sorted[Math.Clamp((int)Math.Ceiling(share * _count) - 1, 0, _count - 1)]);
            _sorted = (share, value);
            _sinceSorted = 0;
            return value;
        }
    }
}
