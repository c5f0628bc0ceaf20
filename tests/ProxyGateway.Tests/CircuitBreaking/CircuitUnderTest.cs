using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>A cell, its clock and its settings: breaks of 30 s without jitter unless a test says otherwise.</summary>
internal sealed class CircuitUnderTest
{
    public CircuitUnderTest(Action<CircuitBreakerOptions>? configure = null, double random = 0)
    {
        Configure(configure ?? (_ => { }));
        Cell = new CircuitCell(Time, () => random);
        Cell.Transitioned += Transitions.Add;
    }

    public FakeTimeProvider Time { get; } = new();

    public CircuitCell Cell { get; }

    public CircuitBreakerOptions Options { get; } = new() { BreakJitter = 0, BreakFactor = 2 };

    public CircuitBreakerSettings Settings { get; private set; } = CircuitBreakerSettings.Default;

    public List<CircuitTransition> Transitions { get; } = [];

    public void Configure(Action<CircuitBreakerOptions> configure)
    {
        configure(Options);
        Settings = CircuitBreakerSettings.From(Options);
    }

    public CircuitPermit Enter()
    {
        Assert.True(Cell.TryEnter(Settings, out var permit, out var retryAfter));
        Assert.Equal(TimeSpan.Zero, retryAfter);
        return permit;
    }

    /// <summary>The Retry-After of a refusal.</summary>
    public TimeSpan Refused()
    {
        Assert.False(Cell.TryEnter(Settings, out var permit, out var retryAfter));
        Assert.Same(CircuitPermit.Uncounted, permit);
        Assert.True(retryAfter > TimeSpan.Zero);
        return retryAfter;
    }

    public void Succeed(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            Enter().OnSuccess();
        }
    }

    public void Fail(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            Enter().OnFailure();
        }
    }

    /// <summary>Fails until open.</summary>
    public void Open()
    {
        Fail(Options.FailureThreshold);
        Assert.Equal(CircuitStatus.Open, Cell.Status);
    }

    /// <summary>Waits for the end of the break and enters.</summary>
    public CircuitPermit Probe()
    {
        Time.Advance(Cell.TimeToHalfOpen);
        var permit = Enter();
        Assert.Equal(CircuitStatus.HalfOpen, Cell.Status);
        return permit;
    }
}
