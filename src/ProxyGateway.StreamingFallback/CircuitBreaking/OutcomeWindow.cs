namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>
/// Good and failed outcomes of the last while, in ten buckets: what is counted reaches back nine to ten tenths of
/// the duration. Not thread-safe; the cell's lock guards it.
/// </summary>
internal sealed class OutcomeWindow
{
    internal const int Buckets = 10;

    private readonly Bucket[] _buckets = new Bucket[Buckets];
    private long _width;

    /// <summary>Takes on another duration. What was counted stays, as if it had happened at the end of its old bucket.</summary>
    public void Resize(TimeSpan duration, TimeSpan now)
    {
        var width = duration.Ticks / Buckets;
        if (width == _width)
        {
            return;
        }

        Span<Bucket> old = stackalloc Bucket[Buckets];
        _buckets.CopyTo(old);
        var (oldWidth, oldest) = (_width, _width == 0 ? 0 : OldestEpoch(now));
        Clear();
        _width = width;
        foreach (ref readonly var bucket in old)
        {
            if (bucket.Good + bucket.Failed > 0 && bucket.Epoch >= oldest)
            {
                var last = Math.Min(((bucket.Epoch + 1) * oldWidth) - 1, now.Ticks);
                if (last / width >= OldestEpoch(now))
                {
                    ref var target = ref At(last / width);
                    target.Good += bucket.Good;
                    target.Failed += bucket.Failed;
                }
            }
        }
    }

    public void Add(bool failed, TimeSpan now)
    {
        ref var bucket = ref At(now.Ticks / _width);
        if (failed)
        {
            bucket.Failed++;
        }
        else
        {
            bucket.Good++;
        }
    }

    public (int Good, int Failed) Count(TimeSpan now)
    {
        var oldest = OldestEpoch(now);
        var (good, failed) = (0, 0);
        foreach (ref readonly var bucket in _buckets.AsSpan())
        {
            if (bucket.Epoch >= oldest)
            {
                good += bucket.Good;
                failed += bucket.Failed;
            }
        }

        return (good, failed);
    }

    public void Clear() => Array.Clear(_buckets);

    private long OldestEpoch(TimeSpan now) => (now.Ticks / _width) - Buckets + 1;

    private ref Bucket At(long epoch)
    {
        ref var bucket = ref _buckets[epoch % Buckets];
        if (bucket.Epoch != epoch)
        {
            bucket = new Bucket { Epoch = epoch };
        }

        return ref bucket;
    }

    private struct Bucket
    {
        public long Epoch;
        public int Good;
        public int Failed;
    }
}
