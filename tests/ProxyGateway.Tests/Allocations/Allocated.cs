namespace ProxyGateway.Tests.Allocations;

/// <summary>Bytes that work on this thread allocates once code and pools are warm.</summary>
internal static class Allocated
{
    /// <summary>The same for work that needs nothing prepared.</summary>
    public static long Least(Action work) => Least(static () => Stream.Null, _ => work());

    /// <summary>
    /// The least of several runs: a garbage collection between two of them may empty a pool, which is no property of the code.
    /// Each run is <paramref name="prepare"/>, which does not count, then <paramref name="work"/>.
    /// </summary>
    public static long Least<T>(Func<T> prepare, Action<T> work)
        where T : IDisposable
    {
        var least = long.MaxValue;
        for (var i = 0; i < 10 && least > 0; i++)
        {
            using var state = prepare();
            var before = GC.GetAllocatedBytesForCurrentThread();
            work(state);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
