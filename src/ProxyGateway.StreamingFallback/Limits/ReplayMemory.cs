using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Limits;

/// <summary>
/// Whether there is room for one more request body. Bodies are counted exactly; delivered text, which grows with every event, is
/// looked at again after a while, so that no event pays for it. Thread-safe.
/// </summary>
internal sealed class ReplayMemory(LiveExchanges live, TimeProvider time)
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(250);

    private long _deliveredBytes;
    private long _lookedAt;

    /// <param name="limit">In bytes; 0 is no limit.</param>
    /// <param name="bodyBytes">Of the request that asks; 0 where it does not say.</param>
    public bool HasRoom(long limit, long bodyBytes) => limit == 0 || live.BodyBytes + DeliveredBytes() + bodyBytes <= limit;

    private long DeliveredBytes()
    {
        var lookedAt = Volatile.Read(ref _lookedAt);
        var now = time.GetTimestamp();
        if ((lookedAt == 0 || time.GetElapsedTime(lookedAt, now) >= LookAgainAfter)
            && Interlocked.CompareExchange(ref _lookedAt, now, lookedAt) == lookedAt)
        {
            Volatile.Write(ref _deliveredBytes, Math.Max(0, live.KeptBytes() - live.BodyBytes));
        }

        return Volatile.Read(ref _deliveredBytes);
    }
}
