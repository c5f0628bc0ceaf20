namespace ProxyGateway.Backplane;

/// <summary>How a command to the store ended. Closed list: label of a metric and word in the log.</summary>
internal enum StoreOutcome
{
    Good,

    /// <summary>There is no connection.</summary>
    Unreachable,

    /// <summary>No answer in time.</summary>
    TimedOut,

    /// <summary>The server answered, and did not do it: wrong password, out of memory, read-only replica, still loading.</summary>
    Refused,

    /// <summary>What stands in the store, or was answered, is nothing that a replica would have written.</summary>
    Invalid,
}

/// <param name="Outcome">How it ended.</param>
/// <param name="Value">What was read; empty where there was nothing, or no answer.</param>
/// <param name="Code">The word the server gave as reason, capitals only.</param>
internal readonly record struct StoreAnswer(StoreOutcome Outcome, string Value = "", string? Code = null);

/// <summary>Keys that lapse. The three commands may be under way at the same time; none throws.</summary>
internal interface IBackplaneStore : IAsyncDisposable
{
    Task<StoreAnswer> SetAsync(string key, string value, TimeSpan lifetime);

    /// <summary>Reads the first bytes of a value, however long it is.</summary>
    Task<StoreAnswer> ReadAsync(string key, int bytes);

    /// <summary>Adds to a number; the answer's value is the sum.</summary>
    Task<StoreAnswer> AddAsync(string key, long amount, TimeSpan lifetime);
}
