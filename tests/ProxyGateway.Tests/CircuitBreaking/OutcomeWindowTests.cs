using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

public sealed class OutcomeWindowTests
{
    private readonly OutcomeWindow _window = new();

    [Theory]
    [InlineData(0)]
    [InlineData(57)]
    public void Outcome_CountsToTheEndOfTheTenthBucket(int start)
    {
        Resize(10, 0);
        Add(start);
        Add(start + 0.999);
        Assert.Equal(2, Counted(start + 0.999));
        Assert.Equal(2, Counted(start + 9.999));
        Assert.Equal(0, Counted(start + 10));
        Assert.Equal(0, Counted(start + 11));
    }

    [Theory]
    [InlineData(9.999, 1)]
    [InlineData(10, 0)]
    public void WindowGrows_WhatStillCountedCountsOn(double seconds, int counted)
    {
        Resize(10, 0);
        Add(0);
        Resize(100, seconds);
        Assert.Equal(counted, Counted(seconds));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(11.999)]
    public void WindowShrinks_OutcomesAgeAsFromTheEndOfTheirOldBucket(double seconds)
    {
        Resize(30, 0);
        Add(0);
        Resize(10, seconds);
        Assert.Equal(1, Counted(11.999));
        Assert.Equal(0, Counted(12));
    }

    [Fact]
    public void WindowShrinks_WhatIsTooOldPushesNothingOut()
    {
        Resize(30, 0);
        Add(27);
        Add(30);
        Resize(3, 32.9);
        Assert.Equal(1, Counted(32.9));
    }

    private void Resize(double seconds, double now) => _window.Resize(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(now));

    private void Add(double now) => _window.Add(failed: true, TimeSpan.FromSeconds(now));

    private int Counted(double now) => _window.Count(TimeSpan.FromSeconds(now)).Failed;
}
