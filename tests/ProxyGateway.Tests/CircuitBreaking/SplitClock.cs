namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>A clock whose wall and monotonic time go separate ways, as after a time server's correction.</summary>
internal sealed class SplitClock : TimeProvider
{
    private DateTimeOffset _wall = new(2031, 5, 6, 7, 8, 9, TimeSpan.Zero);

    public TimeSpan Elapsed { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _wall;

    // Starts far from zero, as a machine that has been up for a while does.
    public override long GetTimestamp() => 123_456_789_012 + Elapsed.Ticks;

    public void Advance(TimeSpan by)
    {
        Elapsed += by;
        _wall += by;
    }

    public void SetWallClock(DateTimeOffset to) => _wall = to;
}
