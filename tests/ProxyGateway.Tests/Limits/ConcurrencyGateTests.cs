using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Limits;
using Xunit;

namespace ProxyGateway.Tests.Limits;

public sealed class ConcurrencyGateTests
{
    private static readonly ConcurrencySettings Two = new(Limit: 2, Queue: 1, QueueTimeout: TimeSpan.FromSeconds(1));

    private readonly FakeTimeProvider _time = new();

    private readonly ConcurrencyGate _gate;

    public ConcurrencyGateTests() => _gate = new ConcurrencyGate(_time);

    [Fact]
    public async Task NoLimit_LetsEverybodyInAndCountsThem()
    {
        for (var i = 0; i < 1000; i++)
        {
            Assert.True(await EnterAsync(Two with { Limit = 0 }));
        }

        Assert.Equal(1000, _gate.Inside);
    }

    [Fact]
    public async Task TryEnter_NeverWaitsAndNeverOvertakes()
    {
        var (_, waits) = await FillAsync();

        Assert.False(_gate.TryEnter(Two));
        Assert.False(_gate.TryEnter(Two with { Limit = 3 }));
        Assert.True(await waits);
        Assert.True(_gate.TryEnter(Two with { Limit = 4 }));
        Assert.Equal(4, _gate.Inside);
    }

    [Fact]
    public async Task FullWithAFullQueue_RefusesAtOnce()
    {
        var (_, waits) = await FillAsync();

        var refused = _gate.EnterAsync(Two, CancellationToken.None);

        Assert.True(refused.IsCompletedSuccessfully);
        Assert.False(await refused);
        Assert.False(waits.IsCompleted);
        Assert.Equal((2, 1), (_gate.Inside, _gate.Waiting));
    }

    [Fact]
    public async Task SomebodyLeaves_TheFirstInTheQueueIsIn()
    {
        var queue = Two with { Queue = 2 };
        var (_, first) = await FillAsync();
        var second = _gate.EnterAsync(queue, CancellationToken.None).AsTask();

        _gate.Leave();

        Assert.True(await first.WaitAsync(TestContext.Current.CancellationToken));
        Assert.False(second.IsCompleted);
        Assert.Equal((2, 1), (_gate.Inside, _gate.Waiting));
    }

    [Fact]
    public async Task NobodyLeavesInTime_IsRefusedAndThePlaceInTheQueueIsFree()
    {
        var (_, waits) = await FillAsync();

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.False(await waits.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal((2, 0), (_gate.Inside, _gate.Waiting));
    }

    [Fact]
    public async Task ClientLeavesTheQueue_TakesNoPlace()
    {
        using var client = new CancellationTokenSource();
        await EnterAsync(Two);
        await EnterAsync(Two);
        var waits = _gate.EnterAsync(Two, client.Token).AsTask();

        await client.CancelAsync();

        Assert.False(await waits);
        _gate.Leave();
        Assert.Equal((1, 0), (_gate.Inside, _gate.Waiting));
    }

    [Fact]
    public async Task LimitIsRaised_WhoWaitsIsInWithTheNextCaller()
    {
        var (_, waits) = await FillAsync();

        Assert.True(await EnterAsync(Two with { Limit = 4 }));

        Assert.True(await waits.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal(4, _gate.Inside);
    }

    [Fact]
    public async Task LimitIsLowered_WhoIsInsideStaysAndNobodyComesInUntilEnoughHaveLeft()
    {
        var four = Two with { Limit = 4, Queue = 0 };
        for (var i = 0; i < 4; i++)
        {
            Assert.True(await EnterAsync(four));
        }

        var two = four with { Limit = 2 };
        Assert.False(await EnterAsync(two));
        _gate.Leave();
        _gate.Leave();
        Assert.False(await EnterAsync(two));
        _gate.Leave();
        Assert.True(await EnterAsync(two));
    }

    [Fact]
    public async Task LimitIsSwitchedOnUnderTraffic_CountsWhoIsInsideAlready()
    {
        await EnterAsync(Two with { Limit = 0 });
        await EnterAsync(Two with { Limit = 0 });

        Assert.False(await EnterAsync(Two with { Queue = 0 }));
    }

    [Fact]
    public async Task ManyCallers_AreNeverMoreThanTheLimitInside()
    {
        var settings = new ConcurrencySettings(Limit: 3, Queue: 100_000, QueueTimeout: TimeSpan.FromMinutes(1));
        var (most, inside) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => Task.Run(async () =>
        {
            Assert.True(await _gate.EnterAsync(settings, CancellationToken.None));
            var now = Interlocked.Increment(ref inside);
            InterlockedMax(ref most, now);
            await Task.Yield();
            Interlocked.Decrement(ref inside);
            _gate.Leave();
        })));

        Assert.InRange(most, 1, 3);
        Assert.Equal((0, 0), (_gate.Inside, _gate.Waiting));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var known = Volatile.Read(ref target); value > known;)
        {
            var seen = Interlocked.CompareExchange(ref target, value, known);
            if (seen == known)
            {
                return;
            }

            known = seen;
        }
    }

    private ValueTask<bool> EnterAsync(ConcurrencySettings settings) => _gate.EnterAsync(settings, TestContext.Current.CancellationToken);

    /// <summary>Two inside and one waiting.</summary>
    private async Task<(int Inside, Task<bool> Waits)> FillAsync()
    {
        Assert.True(await EnterAsync(Two));
        Assert.True(await EnterAsync(Two));
        return (2, _gate.EnterAsync(Two, CancellationToken.None).AsTask());
    }
}
