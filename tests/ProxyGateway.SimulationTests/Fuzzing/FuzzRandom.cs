namespace ProxyGateway.SimulationTests.Fuzzing;

/// <summary>SplitMix64: the same choices for the same seed in every version of the runtime, and nothing to set up for each of millions of runs.</summary>
internal sealed class FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The choices of one run of a target.</summary>
    public static FuzzRandom Of(ulong seed, long run) => new(new FuzzRandom(seed).Next() ^ (ulong)run);

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>From 0 up to and without <paramref name="count"/>; 0 where that is 0.</summary>
    public int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    public bool OneIn(int count) => Below(count) == 0;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
