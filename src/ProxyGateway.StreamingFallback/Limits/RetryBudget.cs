namespace ProxyGateway.StreamingFallback.Limits;

/// <summary>
/// What a cluster may be asked beyond one attempt per exchange: a share of its exchanges in the last 10 s, and a floor on top so
/// that a quiet cluster can be asked again at all. Lives longer than a configuration; time is monotonic. Thread-safe.
/// </summary>
/// <remarks>
/// Counts by the second. What was spent is looked up 11 s back and exchanges 10 s back, the running second included, so the
/// promise holds for every 10 s, wherever they begin: spent ≤ share × exchanges + floor × 10.
/// </remarks>
internal sealed class RetryBudget(TimeProvider time)
{
    public const int WindowSeconds = 10;

    private const int Buckets = WindowSeconds + 1;

    private readonly Lock _gate = new();
    private readonly long _origin = time.GetTimestamp();
    private readonly Second[] _seconds = new Second[Buckets];

    /// <summary>An exchange came to the cluster.</summary>
    public void OnExchange()
    {
        lock (_gate)
        {
            At_NeedsLock(Now()).Exchanges++;
        }
    }

    /// <summary>Asks for one further attempt; false where the budget is spent.</summary>
    public bool TrySpend(double share, double floorPerSecond)
    {
        lock (_gate)
        {
            var now = Now();
            var (exchanges, spent) = (0L, 0L);
            foreach (ref readonly var second in _seconds.AsSpan())
            {
                exchanges += second.Epoch > now - WindowSeconds ? second.Exchanges : 0;
                spent += second.Epoch > now - Buckets ? second.Spent : 0;
            }

            if (spent + 1 > (share * exchanges) + (floorPerSecond * WindowSeconds))
            {
                return false;
            }

            At_NeedsLock(now).Spent++;
            return true;
        }
    }

    /// <summary>Counts an attempt that is made in any case.</summary>
    public void Spend()
    {
        lock (_gate)
        {
            At_NeedsLock(Now()).Spent++;
        }
    }

    private long Now() => (long)time.GetElapsedTime(_origin).TotalSeconds + 1;

    private ref Second At_NeedsLock(long epoch)
    {
        ref var second = ref _seconds[epoch % Buckets];
        if (second.Epoch != epoch)
        {
            second = new Second { Epoch = epoch };
        }

        return ref second;
    }

    private struct Second
    {
        public long Epoch;
        public long Exchanges;
        public long Spent;
    }
}
