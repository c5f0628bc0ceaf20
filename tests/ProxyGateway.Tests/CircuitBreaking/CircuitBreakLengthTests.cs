using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>How long a circuit stays open.</summary>
public sealed class CircuitBreakLengthTests
{
    [Fact]
    public void BreaksInARow_GrowUpToTheLongest()
    {
        var circuit = new CircuitUnderTest();
        circuit.Open();
        var lengths = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            lengths.Add(circuit.Cell.TimeToHalfOpen.TotalSeconds);
            circuit.Probe().OnFailure();
        }

        Assert.Equal([30, 60, 120, 240, 300, 300], lengths);
    }

    [Fact]
    public void ThousandsOfBreaksInARow_StayAtTheLongest()
    {
        var circuit = new CircuitUnderTest(options => options.BreakFactor = 10);
        circuit.Open();
        for (var i = 0; i < 5_000; i++)
        {
            circuit.Probe().OnFailure();
        }

        Assert.Equal(TimeSpan.FromMinutes(5), circuit.Cell.TimeToHalfOpen);
    }

    [Fact]
    public void CompleteAnswer_FallsBackToTheFirstBreak()
    {
        var circuit = new CircuitUnderTest();
        circuit.Open();
        circuit.Probe().OnFailure();
        circuit.Probe().OnSuccess();
        circuit.Open();
        Assert.Equal(TimeSpan.FromSeconds(30), circuit.Cell.TimeToHalfOpen);
    }

    [Fact]
    public void FirstContentAlone_DoesNotFallBack()
    {
        var circuit = new CircuitUnderTest();
        circuit.Open();
        for (var i = 0; i < 3; i++)
        {
            var probe = circuit.Probe();
            probe.OnFirstContent(TimeSpan.FromSeconds(1));
            probe.OnFailure();
        }

        Assert.Equal(TimeSpan.FromSeconds(240), circuit.Cell.TimeToHalfOpen);
    }

    [Theory]
    [InlineData(0, 30)]
    [InlineData(0.5, 27)]
    [InlineData(1, 24)]
    public void Jitter_OnlyShortens(double random, double expected)
    {
        var circuit = new CircuitUnderTest(options => options.BreakJitter = 0.2, random);
        circuit.Open();
        Assert.Equal(expected, circuit.Cell.TimeToHalfOpen.TotalSeconds, 3);
    }

    [Fact]
    public void JitterAtTheLongestBreak_StillVaries()
    {
        var circuit = new CircuitUnderTest(options => options.BreakJitter = 0.5, random: 0.5);
        Assert.Equal(TimeSpan.FromSeconds(225), circuit.Settings.NextBreak(50, 0.5, TimeSpan.Zero));
    }

    [Fact]
    public void RetryAfter_IsAFloorUnderTheJitter()
    {
        var circuit = new CircuitUnderTest(options => options.BreakJitter = 0.5);
        Assert.Equal(TimeSpan.FromSeconds(30), circuit.Settings.NextBreak(0, 0.9, TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData(10, 2)]
    [InlineData(30, 1)]
    public void DownForAMinuteUnderARequestEveryFourSeconds_OneAttemptPerBreakAndBackSoon(int breakSeconds, double factor)
    {
        var circuit = new CircuitUnderTest(options =>
            (options.BreakDuration, options.BreakFactor) = (TimeSpan.FromSeconds(breakSeconds), factor));
        var second = 0;
        for (var attemptsInBreak = 0; second < 3600; second += 4, circuit.Time.Advance(TimeSpan.FromSeconds(4)))
        {
            var breaks = circuit.Cell.Snapshot().BreaksInARow;
            if (!circuit.Cell.TryEnter(circuit.Settings, out var permit, out _))
            {
                attemptsInBreak = 0;
                continue;
            }

            Assert.True(++attemptsInBreak <= 1 || breaks == 0);
            if (second >= 60)
            {
                permit.OnSuccess();
                break;
            }

            permit.OnFailure();
        }

        Assert.Equal(CircuitStatus.Closed, circuit.Cell.Status);
        Assert.InRange(second, 60, 90);
    }
}
