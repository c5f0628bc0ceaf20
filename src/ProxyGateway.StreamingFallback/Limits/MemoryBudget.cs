namespace ProxyGateway.StreamingFallback.Limits;

/// <summary>The bytes of whole bodies that all exchanges together hold in memory. Thread-safe.</summary>
internal sealed class MemoryBudget
{
    private long _held;

    public long Held => Volatile.Read(ref _held);

    public bool TryTake(long bytes, long limit)
    {
        if (Interlocked.Add(ref _held, bytes) <= limit)
        {
            return true;
        }

        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    public void Return(long bytes) => Interlocked.Add(ref _held, -bytes);
}

/// <summary>The budget under the limit of one configuration; 0 is no limit.</summary>
internal readonly record struct MemoryShare(MemoryBudget? Budget, long Limit)
{
    public bool TryTake(long bytes) => Budget is null || Budget.TryTake(bytes, Limit > 0 ? Limit : long.MaxValue);

    public void Return(long bytes) => Budget?.Return(bytes);
}
