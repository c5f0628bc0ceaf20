using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// The clocks of one attempt on one timer. Only one runs at a time; content does not touch the timer but leaves its time, and the
/// timer looks at that when it fires: nothing is paid per event.
/// </summary>
internal sealed class AttemptClock : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Action<object?> _onFired;
    private readonly object? _state;
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private FaultKind _running;
    private TimeSpan _limit;
    private long _since;
    private long _latest = long.MaxValue;
    private long _armedFor = long.MaxValue;
    private bool _disposed;
    private volatile bool _paused;

    /// <param name="time">What it goes by.</param>
    /// <param name="onFired">Called once, on the timer's thread, when a clock has run out.</param>
    /// <param name="state">What <paramref name="onFired"/> is given.</param>
    public AttemptClock(TimeProvider time, Action<object?> onFired, object? state)
    {
        _time = time;
        _onFired = onFired;
        _state = state;
    }

    /// <summary>Which clock ran out; <see cref="FaultKind.None"/> while none has.</summary>
    public FaultKind Fired { get; private set; }

    /// <summary>Starts a clock in place of the one that runs. <paramref name="since"/> is a timestamp of the time provider.</summary>
    public void Start(FaultKind clock, TimeSpan limit, long since)
    {
        lock (_gate)
        {
            _running = clock;
            _limit = limit;
            Volatile.Write(ref _since, since);
            Arm_NeedsLock();
        }
    }

    /// <summary>No clock may run beyond <paramref name="deadline"/> (a timestamp) until <see cref="ClearDeadline"/>.</summary>
    public void SetDeadline(long deadline)
    {
        lock (_gate)
        {
            Volatile.Write(ref _latest, deadline);
            if (_running != FaultKind.None)
            {
                Arm_NeedsLock();
            }
        }
    }

    public void ClearDeadline() => Volatile.Write(ref _latest, long.MaxValue);

    public void Stop()
    {
        lock (_gate)
        {
            _running = FaultKind.None;
        }
    }

    /// <summary>The running clock begins anew, at the timestamp it gives. Free of locks and timers.</summary>
    public long Touch()
    {
        var now = _time.GetTimestamp();
        Volatile.Write(ref _since, now);
        return now;
    }

    /// <summary>While the client does not read, the upstream is not read either and cannot be blamed.</summary>
    public void Pause() => _paused = true;

    public void Resume()
    {
        Touch();
        _paused = false;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _running = FaultKind.None;
            _timer?.Dispose();
        }
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _armedFor = long.MaxValue;
            if (_disposed || _running == FaultKind.None || Fired != FaultKind.None)
            {
                return;
            }

            if (_paused)
            {
                Volatile.Write(ref _since, _time.GetTimestamp());
            }

            if (Remaining_NeedsLock(_time.GetTimestamp()) > TimeSpan.Zero)
            {
                Arm_NeedsLock();
                return;
            }

            Fired = _running;
        }

        _onFired(_state);
    }

    private TimeSpan Remaining_NeedsLock(long now)
    {
        var own = _limit - _time.GetElapsedTime(Volatile.Read(ref _since), now);
        var latest = Volatile.Read(ref _latest);
        if (latest == long.MaxValue)
        {
            return own;
        }

        var overall = _time.GetElapsedTime(now, latest);
        return overall < own ? overall : own;
    }

    private void Arm_NeedsLock()
    {
        if (_disposed)
        {
            return;
        }

        var now = _time.GetTimestamp();
        var due = Remaining_NeedsLock(now);
        var at = now + (long)(due.TotalSeconds * _time.TimestampFrequency);
        if (at >= _armedFor)
        {
            // It fires before that anyway and then looks again; a timer that is left alone costs nothing.
            return;
        }

        _armedFor = at;
        // Timers are coarse and may fire a little early; a round-up of one millisecond saves a second call.
        // Most answers of a client that asked for no stream need none.
        _timer ??= _time.CreateTimer(static state => ((AttemptClock)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(due <= TimeSpan.Zero ? TimeSpan.Zero : due + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
