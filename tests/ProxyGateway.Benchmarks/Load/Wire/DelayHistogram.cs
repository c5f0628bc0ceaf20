using System.Numerics;

namespace ProxyGateway.Benchmarks.Load.Wire;

/// <summary>Delays in buckets of about 3 %. Thread-safe; adding allocates nothing.</summary>
internal sealed class DelayHistogram
{
    private const int PerDoubling = 32;
    private const int BucketCount = 40 * PerDoubling;
    private readonly long[] _counts = new long[BucketCount];

    public void Add(TimeSpan delay) => Interlocked.Increment(ref _counts[Bucket(delay)]);

    public void Clear() => Array.Clear(_counts);

    /// <summary>In microseconds; not a number where nothing was added.</summary>
    public double Percentile(double share)
    {
        var rank = (long)Math.Ceiling(_counts.Sum() * share);
        var seen = 0L;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (rank > 0 && seen >= rank)
            {
                return Math.Pow(2, (i + 0.5) / PerDoubling) / 10;
            }
        }

        return double.NaN;
    }

    private static int Bucket(TimeSpan delay)
    {
        var tenths = Math.Max(1, delay.Ticks);
        var whole = BitOperations.Log2((ulong)tenths);
        var fraction = Math.Log2((double)tenths / (1L << whole));
        return Math.Min(BucketCount - 1, (whole * PerDoubling) + (int)(fraction * PerDoubling));
    }
}
