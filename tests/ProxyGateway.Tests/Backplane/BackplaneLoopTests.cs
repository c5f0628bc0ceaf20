using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ProxyGateway.Backplane;
using Xunit;

namespace ProxyGateway.Tests.Backplane;

public sealed class BackplaneLoopTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Replica _replica;
    private readonly Lines _log = new();
    private readonly List<MemoryStore> _stores = [];
    private Func<MemoryStore> _connect = () => new MemoryStore();

    public BackplaneLoopTests() => _replica = new Replica(_time);

    public void Dispose() => _replica.Dispose();

    [Fact]
    public async Task Rounds_OneConnectionForAllOfThem()
    {
        await RunAsync(rounds: 20);
        Assert.Single(_stores);
        Assert.True(_stores[0].Commands >= 40);
        Assert.True(_stores[0].IsDisposed);
        Assert.Equal(["Information backplane: connected, replicas share what they know"], _log.All);
    }

    [Fact]
    public async Task NoServer_TriesAreFartherAndFartherApartAndTheLogStaysShort()
    {
        var tries = 0;
        _connect = () =>
        {
            tries++;
            throw new SocketException();
        };
        await RunAsync(rounds: 200);
        Assert.InRange(tries, 200 / 10, (200 / 10) + 6);
        Assert.Equal(["Warning backplane: unreachable; this replica goes by what it sees itself"], _log.All);
        Assert.Equal(tries, _replica.Count("proxygateway.backplane.failures unreachable"));
    }

    [Fact]
    public async Task ServerGoesAndComes_TheGaugeFollows()
    {
        var down = false;
        _connect = () => down ? throw new SocketException() : new MemoryStore { Instead = _ => down ? new StoreAnswer(StoreOutcome.Unreachable) : null };
        using var stop = new CancellationTokenSource();
        var loop = Start(stop.Token);
        await UntilAsync(() => _replica.Up == 1);
        down = true;
        await UntilAsync(() => _replica.Up == 0);
        Assert.True(_stores[0].IsDisposed);
        down = false;
        await UntilAsync(() => _replica.Up == 1);
        await stop.CancelAsync();
        await loop;
    }

    [Fact]
    public async Task ServerThatRefuses_KeepsItsConnection()
    {
        _connect = () => new MemoryStore { Instead = _ => new StoreAnswer(StoreOutcome.Refused, Code: "OOM") };
        await RunAsync(rounds: 30);
        Assert.Single(_stores);
        Assert.Equal(0, _replica.Up);
        Assert.Equal("Warning backplane: refused (OOM); this replica goes by what it sees itself", Assert.Single(_log.All));
    }

    [Fact]
    public async Task Flapping_IsSaidEveryHalfMinuteAtMost()
    {
        var up = true;
        _connect = () => new MemoryStore { Instead = _ => (up = !up) ? null : new StoreAnswer(StoreOutcome.Unreachable) };
        await RunAsync(rounds: 120);
        Assert.InRange(_log.All.Count, 1, 5);
    }

    [Fact]
    public async Task BugInAStore_EndsNothing()
    {
        _connect = () => new MemoryStore { Instead = _ => throw new InvalidOperationException("secret words") };
        await RunAsync(rounds: 10);
        Assert.True(_replica.Count("proxygateway.backplane.failures invalid") > 0);
        Assert.DoesNotContain(_log.All, l => l.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(1, 1, 1)]
    [InlineData(1, 2, 2)]
    [InlineData(1, 3, 4)]
    [InlineData(1, 4, 8)]
    [InlineData(1, 5, 10)]
    [InlineData(1, int.MaxValue, 10)]
    [InlineData(30, 7, 30)]
    public void Pause_DoublesUpToTenSeconds(int interval, int failures, int expected) =>
        Assert.Equal(TimeSpan.FromSeconds(expected), BackplaneLoop.Pause(TimeSpan.FromSeconds(interval), failures));

    private async Task RunAsync(int rounds)
    {
        using var stop = new CancellationTokenSource();
        var loop = Start(stop.Token);
        for (var i = 0; i < rounds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        _ = _replica.Up;
        var up = _replica.Up;
        await stop.CancelAsync();
        await loop;
        Assert.Equal(up, _replica.Up);
    }

    private Task Start(CancellationToken stop)
    {
        var loop = new BackplaneLoop(
            _replica.Round,
            _ =>
            {
                _stores.Add(_connect());
                return Task.FromResult<IBackplaneStore>(_stores[^1]);
            },
            _replica.Metrics,
            _log,
            _time);
        return loop.RunAsync(Replica.Settings, stop);
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 100 && !condition(); i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.True(condition());
    }

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add($"{logLevel} {formatter(state, exception)}");
    }
}
