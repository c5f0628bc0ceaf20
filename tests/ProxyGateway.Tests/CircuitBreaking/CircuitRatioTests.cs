using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>The ratio over a window: half of at least ten in 30 s.</summary>
public sealed class CircuitRatioTests
{
    private readonly CircuitUnderTest _circuit = new(options => options.Mode = CircuitBreakerMode.Ratio);

    [Fact]
    public void ShareReachedWithEnoughVolume_Opens()
    {
        _circuit.Succeed(5);
        _circuit.Fail(4);
        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
        _circuit.Fail();
        Assert.Equal(CircuitTransitionReason.FailureRatio, Assert.Single(_circuit.Transitions).Reason);
    }

    [Fact]
    public void TooLittleVolume_StaysClosed()
    {
        _circuit.Fail(9);
        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
        _circuit.Fail();
        Assert.Equal(CircuitStatus.Open, _circuit.Cell.Status);
    }

    [Fact]
    public void NeutralOutcomes_AreNoVolume()
    {
        _circuit.Fail(8);
        for (var i = 0; i < 100; i++)
        {
            _circuit.Enter().OnNeutral();
        }

        _circuit.Fail();
        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
    }

    [Theory]
    [InlineData(26.9, CircuitStatus.Open)]
    [InlineData(30, CircuitStatus.Closed)]
    public void FailuresThatAge_LeaveTheWindow(double seconds, object expected)
    {
        _circuit.Fail(9);
        _circuit.Time.Advance(TimeSpan.FromSeconds(seconds));
        _circuit.Fail();
        Assert.Equal((CircuitStatus)expected, _circuit.Cell.Status);
    }

    [Fact]
    public void DefaultSettings_AreCountedFromTheStart()
    {
        var cell = new CircuitCell(_circuit.Time);
        for (var i = 0; i < CircuitBreakerSettings.Default.FailureThreshold; i++)
        {
            Assert.True(cell.TryEnter(CircuitBreakerSettings.Default, out var permit, out _));
            permit.OnFailure();
        }

        Assert.Equal(CircuitStatus.Open, cell.Status);
    }

    [Fact]
    public void BucketsReusedLongAfter_AreEmpty()
    {
        for (var i = 0; i < 50; i++)
        {
            _circuit.Fail(9);
            _circuit.Time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
    }

    [Fact]
    public void ProbeSuccess_EmptiesTheWindow()
    {
        _circuit.Fail(10);
        _circuit.Configure(options => options.SamplingDuration = TimeSpan.FromHours(1));
        _circuit.Probe().OnSuccess();
        _circuit.Fail(8);
        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
    }

    [Fact]
    public void FailureOnProbation_ReopensWhateverTheVolume()
    {
        _circuit.Fail(10);
        _circuit.Probe().OnFirstContent(TimeSpan.Zero);
        _circuit.Fail();
        Assert.Equal(CircuitStatus.Open, _circuit.Cell.Status);
    }

    [Fact]
    public void ModeChange_LooksAtWhatWasCountedBefore()
    {
        _circuit.Configure(options => (options.Mode, options.FailureThreshold) = (CircuitBreakerMode.Consecutive, 100));
        _circuit.Fail(9);
        _circuit.Configure(options => options.Mode = CircuitBreakerMode.Ratio);
        _circuit.Fail();
        Assert.Equal(CircuitStatus.Open, _circuit.Cell.Status);
    }

    [Theory]
    [InlineData(60, CircuitStatus.Open)] // the window grew before they were too old
    [InlineData(10, CircuitStatus.Closed)] // it shrank, and they are too old for it
    public void WindowChange_KeepsWhatItStillCovers(int seconds, object expected)
    {
        _circuit.Fail(9);
        _circuit.Time.Advance(TimeSpan.FromSeconds(20));
        _circuit.Configure(options => options.SamplingDuration = TimeSpan.FromSeconds(seconds));
        _circuit.Enter().OnNeutral();
        _circuit.Time.Advance(TimeSpan.FromSeconds(seconds / 2.0));
        _circuit.Fail();
        Assert.Equal((CircuitStatus)expected, _circuit.Cell.Status);
    }
}
