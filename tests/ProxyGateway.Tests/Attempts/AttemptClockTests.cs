using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

public sealed class AttemptClockTests
{
    private readonly FakeTimeProvider _time = new();
    private int _fired;

    [Fact]
    public void SilentUpstream_FiresOnce()
    {
        using var clock = Start(FaultKind.IdleTimeout, 10);
        Advance(9.9);
        Assert.Equal(0, _fired);
        Advance(0.2);
        Assert.Equal((1, FaultKind.IdleTimeout), (_fired, clock.Fired));
        Advance(100);
        Assert.Equal(1, _fired);
    }

    [Fact]
    public void Touch_StartsTheClockAnew()
    {
        using var clock = Start(FaultKind.IdleTimeout, 10);
        for (var i = 0; i < 20; i++)
        {
            Advance(6);
            clock.Touch();
        }

        Assert.Equal(0, _fired);
        Advance(10.1);
        Assert.Equal(1, _fired);
    }

    [Fact]
    public void ClockThatIsReplaced_DoesNotFire()
    {
        using var clock = Start(FaultKind.ResponseHeadersTimeout, 1);
        clock.Start(FaultKind.FirstContentTimeout, TimeSpan.FromSeconds(5), _time.GetTimestamp());
        Advance(4.9);
        Assert.Equal(0, _fired);
        Advance(0.2);
        Assert.Equal(FaultKind.FirstContentTimeout, clock.Fired);
    }

    [Fact]
    public void ClientThatDoesNotRead_StopsTheClock()
    {
        using var clock = Start(FaultKind.IdleTimeout, 10);
        clock.Pause();
        Advance(100);
        Assert.Equal(0, _fired);
        clock.Resume();
        Advance(9);
        Assert.Equal(0, _fired);
        Advance(10);
        Assert.Equal(1, _fired);
    }

    [Fact]
    public void Deadline_CutsTheClockShort_UntilItIsCleared()
    {
        using var bounded = new AttemptClock(_time, _ => _fired++, null);
        bounded.SetDeadline(_time.GetTimestamp() + (2 * _time.TimestampFrequency));
        bounded.Start(FaultKind.ReplayTimeout, TimeSpan.FromSeconds(30), _time.GetTimestamp());
        Advance(2.1);
        Assert.Equal(1, _fired);
        using var cleared = new AttemptClock(_time, _ => _fired++, null);
        cleared.SetDeadline(_time.GetTimestamp() + (2 * _time.TimestampFrequency));
        cleared.ClearDeadline();
        cleared.Start(FaultKind.IdleTimeout, TimeSpan.FromSeconds(30), _time.GetTimestamp());
        Advance(29);
        Assert.Equal(1, _fired);
    }

    [Fact]
    public void WallClockThatJumps_IsNotNoticed()
    {
        using var clock = Start(FaultKind.IdleTimeout, 10);
        _time.AdjustTime(_time.GetUtcNow().AddHours(1));
        Assert.Equal(0, _fired);
    }

    [Fact]
    public void StoppedOrDisposed_NeverFires()
    {
        using var stopped = Start(FaultKind.IdleTimeout, 1);
        stopped.Stop();
        Start(FaultKind.IdleTimeout, 1).Dispose();
        Advance(10);
        Assert.Equal(0, _fired);
    }

    private AttemptClock Start(FaultKind kind, double seconds)
    {
        var clock = new AttemptClock(_time, _ => _fired++, null);
        clock.Start(kind, TimeSpan.FromSeconds(seconds), _time.GetTimestamp());
        return clock;
    }

    private void Advance(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
}
