using ProxyGateway.StreamingFallback.Hedging;
using Xunit;

namespace ProxyGateway.Tests.Hedging;

public sealed class FirstContentTimesTests
{
    private readonly FirstContentTimes _times = new();

    [Fact]
    public void TooFewSamples_SayNothing()
    {
        Assert.Null(_times.Percentile(0.95, 1));
        Observe(Enumerable.Repeat(100, 29));
        Assert.Null(_times.Percentile(0.95, 30));
        Observe([100]);
        Assert.Equal(TimeSpan.FromMilliseconds(100), _times.Percentile(0.95, 30));
    }

    [Theory]
    [InlineData(0.5, 50)]
    [InlineData(0.95, 95)]
    [InlineData(0.999, 100)]
    public void HundredSamples_NearestRank(double share, int expected)
    {
        Observe(Enumerable.Range(1, 100).OrderBy(i => i * 37 % 101));
        Assert.Equal(expected, Percentile(share));
    }

    [Fact]
    public void OldSamples_GiveWay()
    {
        Observe(Enumerable.Repeat(5000, FirstContentTimes.Capacity));
        Assert.Equal(5000, Percentile(0.95));
        Observe(Enumerable.Repeat(10, FirstContentTimes.Capacity));
        Assert.Equal(10, Percentile(0.95));
    }

    [Fact]
    public void EightNewSamples_AreSeen()
    {
        Observe(Enumerable.Repeat(100, 100));
        Assert.Equal(100, Percentile(0.95));
        Observe(Enumerable.Repeat(300, 8));
        Assert.Equal(300, Percentile(0.95));
    }

    [Fact]
    public void OtherPercentile_IsNotTheOneThatIsKept()
    {
        Observe(Enumerable.Range(1, 100));
        Assert.Equal(95, Percentile(0.95));
        Assert.Equal(50, Percentile(0.5));
    }

    [Fact]
    public void HedgesWin_DelayNeitherClimbsNorSinks()
    {
        // Half of the first attempts never answer, and their hedges do: each counts as the delay.
        var random = new Random(1);
        Observe(Enumerable.Range(0, 256).Select(_ => random.Next(200, 400)));
        var healthy = Percentile(0.95);
        for (var i = 0; i < 2000; i++)
        {
            var delay = Percentile(0.95);
            var first = random.Next(200, 400);
            Observe([i % 2 == 0 || first > delay ? delay : first]);
        }

        Assert.InRange(Percentile(0.95), healthy - 15, healthy + 15);
    }

    [Fact]
    public void EverythingGetsSlower_DelayFollows()
    {
        Observe(Enumerable.Repeat(100, 256));
        // Hedges are no quicker, so the first attempts win with their real times.
        Observe(Enumerable.Repeat(300, 40));
        Assert.Equal(300, Percentile(0.95));
    }

    private void Observe(IEnumerable<int> milliseconds)
    {
        foreach (var sample in milliseconds)
        {
            _times.Observe(TimeSpan.FromMilliseconds(sample));
        }
    }

    private int Percentile(double share) => (int)_times.Percentile(share, 1)!.Value.TotalMilliseconds;
}
