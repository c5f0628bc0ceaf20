using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.Tests.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.Limits;

public sealed class RetryBudgetTests
{
    private const double Share = 0.2;

    private readonly FakeTimeProvider _time = new();

    private readonly RetryBudget _budget;

    public RetryBudgetTests() => _budget = new RetryBudget(_time);

    [Fact]
    public void QuietCluster_HasTheFloor()
    {
        Assert.Equal(30, SpendAll(Share, floor: 3));
    }

    [Fact]
    public void BusyCluster_HasItsShareOnTop()
    {
        Arrive(100);

        Assert.Equal(20, SpendAll(Share, floor: 0));
        Assert.Equal(30, SpendAll(Share, floor: 3));
    }

    [Fact]
    public void NoFloorAndNoExchange_NothingToSpend()
    {
        Assert.Equal(0, SpendAll(Share, floor: 0));
    }

    [Fact]
    public void WindowIsOver_BudgetIsBack()
    {
        Assert.Equal(30, SpendAll(Share, floor: 3));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(0, SpendAll(Share, floor: 3));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(30, SpendAll(Share, floor: 3));
    }

    [Fact]
    public void OldExchanges_GiveNothingToSpend()
    {
        Arrive(1000);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(0, SpendAll(Share, floor: 0));
    }

    [Fact]
    public void SpentInAnyCase_IsMissingLater()
    {
        for (var i = 0; i < 25; i++)
        {
            _budget.Spend();
        }

        Assert.Equal(5, SpendAll(Share, floor: 3));
    }

    [Fact]
    public void WallClockJumps_ChangeNothing()
    {
        var clock = new SplitClock();
        var budget = new RetryBudget(clock);
        budget.OnExchange();
        Assert.True(budget.TrySpend(1, 0));

        clock.SetWallClock(clock.GetUtcNow() + TimeSpan.FromHours(5));
        Assert.False(budget.TrySpend(1, 0));
        clock.SetWallClock(clock.GetUtcNow() - TimeSpan.FromHours(10));
        Assert.False(budget.TrySpend(1, 0));
    }

    /// <summary>Whatever comes when: in no 10 s is more spent than the share of what came in the 10 s to that moment, and the floor.</summary>
    [Fact]
    public void AnyTraffic_KeepsThePromiseInEveryWindow()
    {
        var random = new Random(4711);
        var came = new List<double>();
        var spent = new List<double>();
        for (var i = 0; i < 20_000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(3) == 0 ? random.Next(200) : 0));
            var now = _time.GetElapsedTime(0).TotalSeconds;
            if (random.Next(4) != 0)
            {
                _budget.OnExchange();
                came.Add(now);
            }

            if (_budget.TrySpend(Share, 2))
            {
                spent.Add(now);
                var inWindow = CountSince(spent, now - 10);
                Assert.True(inWindow <= (Share * CountSince(came, now - 10)) + 20, $"{inWindow} spent at {now}");
            }
        }

        Assert.True(spent.Count > 1000);
    }

    [Fact]
    public async Task ManyThreads_SpendNoMoreThanThereIs()
    {
        Arrive(1000);
        var spent = 0;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                if (_budget.TrySpend(Share, 0))
                {
                    Interlocked.Increment(ref spent);
                }
            }
        })));

        Assert.Equal(200, spent);
    }

    private static int CountSince(List<double> times, double since) => times.Count - times.FindIndex(t => t > since) is var n && n > times.Count ? 0 : n;

    private void Arrive(int exchanges)
    {
        for (var i = 0; i < exchanges; i++)
        {
            _budget.OnExchange();
        }
    }

    private int SpendAll(double share, double floor)
    {
        var spent = 0;
        while (_budget.TrySpend(share, floor))
        {
            Assert.True(++spent < 100_000, "no end of it");
        }

        return spent;
    }
}
