namespace ProxyGateway.SimulationTests.Simulation;

/// <summary>
/// A clock that stands still until it is told to go to the next timer. Unlike a fake clock that is moved in steps it knows when
/// nothing is left to wait for: that is how a simulation sees that an exchange hangs. One thread only.
/// </summary>
internal sealed class SimulatedTime : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly List<SimulatedTimer> _armed = [];
    private long _now;
    private long _begin;
    private int _looks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Since <see cref="Begin"/>.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(_now - _begin);

    public int ArmedTimers => _armed.Count;

    public override long GetTimestamp() => _now;

    /// <summary>The wall clock jumps by two hours at every look, there and back: nothing may be timed by it.</summary>
    public override DateTimeOffset GetUtcNow() => Epoch + TimeSpan.FromTicks(_now) + TimeSpan.FromHours((_looks++ % 2 * 2) - 1);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulatedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Another exchange begins. The clock itself goes on: what outlives exchanges must not see it run backwards.</summary>
    public void Begin()
    {
        _armed.Clear();
        _begin = _now += TimeSpan.TicksPerMinute;
    }

    /// <summary>Fires the timer that is due first; false where there is none.</summary>
    public bool FireNext()
    {
        SimulatedTimer? next = null;
        foreach (var timer in _armed)
        {
            if (next is null || timer.Due < next.Due)
            {
                next = timer;
            }
        }

        if (next is null)
        {
            return false;
        }

        _now = Math.Max(_now, next.Due);
        next.Fire();
        return true;
    }

    private sealed class SimulatedTimer(SimulatedTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;
        private bool _disposed;

        public long Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            time._armed.Remove(this);
            if (_disposed)
            {
                return false;
            }

            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                Due = time._now + dueTime.Ticks;
                time._armed.Add(this);
            }

            return true;
        }

        public void Fire()
        {
            time._armed.Remove(this);
            if (_period > TimeSpan.Zero)
            {
                Due = time._now + _period.Ticks;
                time._armed.Add(this);
            }

            callback(state);
        }

        public void Dispose()
        {
            _disposed = true;
            time._armed.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
