using System.Globalization;
using ProxyGateway.Backplane;

namespace ProxyGateway.Tests.Backplane;

/// <summary>A store that forgets nothing, and fails where a test says so.</summary>
internal sealed class MemoryStore : IBackplaneStore
{
    public Dictionary<string, string> Values { get; } = [];

    public Dictionary<string, TimeSpan> Lifetimes { get; } = [];

    public int Commands { get; private set; }

    /// <summary>What a command ends with in place of its own answer.</summary>
    public Func<string, StoreAnswer?> Instead { get; set; } = _ => null;

    /// <summary>No command comes back.</summary>
    public bool IsSilent { get; set; }

    public bool IsDisposed { get; private set; }

    public Task<StoreAnswer> SetAsync(string key, string value, TimeSpan lifetime) => AnswerAsync(key, () =>
    {
        (Values[key], Lifetimes[key]) = (value, lifetime);
        return "";
    });

    public Task<StoreAnswer> ReadAsync(string key, int bytes) => AnswerAsync(key, () => Values.TryGetValue(key, out var value) ? value[..Math.Min(bytes, value.Length)] : "");

    public Task<StoreAnswer> AddAsync(string key, long amount, TimeSpan lifetime) => AnswerAsync(key, () =>
    {
        Lifetimes[key] = lifetime;
        return Values[key] = (long.Parse(Values.GetValueOrDefault(key, "0"), CultureInfo.InvariantCulture) + amount).ToString(CultureInfo.InvariantCulture);
    });

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }

    private Task<StoreAnswer> AnswerAsync(string key, Func<string> answer)
    {
        Commands++;
        return IsSilent ? new TaskCompletionSource<StoreAnswer>().Task : Task.FromResult(Instead(key) ?? new StoreAnswer(StoreOutcome.Good, answer()));
    }
}
