using System.Globalization;
using StackExchange.Redis;

namespace ProxyGateway.Backplane;

/// <summary>A connection to a Redis server. One that failed is thrown away rather than mended: what the server still sends to it is then nobody's.</summary>
internal sealed class RedisStore : IBackplaneStore
{
    private const int LongestCode = 16;

    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(2);

    private readonly ConnectionMultiplexer _connection;
    private readonly IDatabase _database;

    private readonly ReadAllowance _allowance;

    private RedisStore(ConnectionMultiplexer connection, ReadAllowance allowance)
    {
        (_connection, _allowance) = (connection, allowance);
        _database = connection.GetDatabase();
    }

    /// <exception cref="Exception">There is no connection to be had; <see cref="Judge"/> says why.</exception>
    public static async Task<IBackplaneStore> ConnectAsync(string connectionString, TimeSpan timeout)
    {
        // Twice: the handshake waits for as long by itself, and should be the one to say what was wrong.
        var allowance = new ReadAllowance();
        var options = RedisAddress.Read(connectionString, timeout);
        options.Tunnel = allowance;
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        try
        {
            return new RedisStore(await connecting.WaitAsync((timeout * 2) + TimeSpan.FromSeconds(1)), allowance);
        }
        catch (TimeoutException)
        {
            _ = connecting.ContinueWith(static late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
    }

    public Task<StoreAnswer> SetAsync(string key, string value, TimeSpan lifetime) => TryAsync(async () =>
    {
        await _database.StringSetAsync(key, value, lifetime);
        return new StoreAnswer(StoreOutcome.Good);
    });

    public Task<StoreAnswer> ReadAsync(string key, int bytes) => TryAsync(async () =>
    {
        var value = (string?)await _database.StringGetRangeAsync(key, 0, bytes - 1) ?? "";
        return value.Length <= bytes ? new StoreAnswer(StoreOutcome.Good, value) : new StoreAnswer(StoreOutcome.Invalid);
    });

    public Task<StoreAnswer> AddAsync(string key, long amount, TimeSpan lifetime) => TryAsync(async () =>
    {
        var sum = _database.StringIncrementAsync(key, amount);
        var lapses = _database.KeyExpireAsync(key, lifetime);
        await Task.WhenAll(sum, lapses);
        return new StoreAnswer(StoreOutcome.Good, (await sum).ToString(CultureInfo.InvariantCulture));
    });

    public async ValueTask DisposeAsync()
    {
        try
        {
            // On another thread, because what is done to a connection that is half dead may block.
            await Task.Run(CloseAsync).WaitAsync(FarewellLimit);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // It was to go.
        }
    }

    private async Task CloseAsync()
    {
        await _connection.CloseAsync(allowCommandsToComplete: false);
        _connection.Dispose();
    }

    /// <summary>What an exception of the client says. Its text is not shown: it may quote the server, and the server anything.</summary>
    public static StoreAnswer Judge(Exception exception) => exception switch
    {
        RedisServerException { Message: var text } when text.StartsWith("WRONGTYPE", StringComparison.Ordinal) || text.Contains("not an integer", StringComparison.Ordinal)
            || text.Contains("overflow", StringComparison.Ordinal) => new(StoreOutcome.Invalid),
        RedisServerException { Message: var text } => new(StoreOutcome.Refused, Code: Code(text)),
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => new(StoreOutcome.Refused, Code: "AUTH"),
        RedisConnectionException { FailureType: ConnectionFailureType.ProtocolFailure } => new(StoreOutcome.Invalid),
        TimeoutException => new(StoreOutcome.TimedOut),
        RedisException or System.Net.Sockets.SocketException or IOException or UnauthorizedAccessException or ObjectDisposedException => new(StoreOutcome.Unreachable),
        _ => new(StoreOutcome.Invalid),
    };

    private async Task<StoreAnswer> TryAsync(Func<Task<StoreAnswer>> command)
    {
        _allowance.Refill();
        try
        {
            return await command();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return Judge(e);
        }
    }

    private static string? Code(string text)
    {
        var end = text.AsSpan().IndexOfAnyExceptInRange('A', 'Z');
        var code = end < 0 ? text : text[..end];
        return code.Length is > 0 and <= LongestCode ? code : null;
    }
}
