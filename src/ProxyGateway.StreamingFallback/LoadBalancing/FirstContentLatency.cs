using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.LoadBalancing;

/// <summary>
/// The peak EWMA of a destination's time to first content: a slower sample counts at once and in full, faster ones pull the value
/// down with time, and so does silence, so that a destination that was slow once is tried again. Thread-safe.
/// </summary>
internal sealed class FirstContentLatency
{
    /// <summary>After this time a peak is down to a third.</summary>
    private static readonly TimeSpan Decay = TimeSpan.FromSeconds(10);

    private static readonly ConditionalWeakTable<DestinationState, FirstContentLatency> Table = [];

    private readonly Lock _gate = new();
    private double? _seconds;
    private long _at;

    /// <summary>Goes with the destination: a reload that keeps the one keeps the other.</summary>
    public static FirstContentLatency Of(DestinationState destination) => Table.GetOrCreateValue(destination);

    public void Observe(TimeSpan sample, TimeProvider time)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var weight = _seconds is null ? 0 : Weight(time.GetElapsedTime(_at, now));
            var known = _seconds ?? 0;
            _seconds = sample.TotalSeconds >= known ? sample.TotalSeconds : (known * weight) + (sample.TotalSeconds * (1 - weight));
            _at = now;
        }
    }

    /// <summary>The destination was not waited for any longer: it is at least as slow as this, and no quicker than it was known to be.</summary>
    public void ObserveAtLeast(TimeSpan sample, TimeProvider time)
    {
        lock (_gate)
        {
            if (_seconds is null || sample.TotalSeconds > _seconds * Weight(time.GetElapsedTime(_at)))
            {
                (_seconds, _at) = (sample.TotalSeconds, time.GetTimestamp());
            }
        }
    }

    /// <summary>The value as of now, in seconds; null while nothing is known.</summary>
    public double? Current(TimeProvider time)
    {
        lock (_gate)
        {
            return _seconds * Weight(time.GetElapsedTime(_at));
        }
    }

    private static double Weight(TimeSpan elapsed) => Math.Exp(-elapsed / Decay);
}
