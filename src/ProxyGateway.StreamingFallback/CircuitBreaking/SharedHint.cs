namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>
/// What another replica says about a circuit that is closed here: that its own is open. It is a reason to look before sending
/// everything, and no more: while it is in force a few probes at a time get in, the first of them that has content refutes it, and one
/// that fails confirms it. Guarded by the cell's lock.
/// </summary>
/// <remarks>
/// A replica that was told wrongly once (it may be the other one's network that is down) believes nothing until a
/// request of its own fails. So the worst that a wrong hint costs is the time of one probe.
/// </remarks>
internal sealed class SharedHint
{
    // Oldest first.
    private readonly List<CircuitPermit> _probes = [];
    private TimeSpan _ends = TimeSpan.MinValue;
    private bool _refuted;

    /// <summary>How long it is still in force; zero where there is none.</summary>
    public TimeSpan Remaining(TimeSpan now) => _ends > now ? _ends - now : TimeSpan.Zero;

    /// <summary>False where this replica knows better.</summary>
    public bool Learn(TimeSpan now, TimeSpan length)
    {
        if (_refuted || length <= TimeSpan.Zero)
        {
            return false;
        }

        if (now >= _ends)
        {
            _probes.Clear();
        }

        _ends = now + length;
        return true;
    }

    /// <summary>How long a caller has to wait; zero lets it in.</summary>
    public TimeSpan Wait(TimeSpan now, CircuitBreakerSettings settings) => now >= _ends ? TimeSpan.Zero : WaitForProbes(now, settings);

    public void Admit(CircuitPermit permit) => _probes.Add(permit);

    /// <summary>The probe's verdict is in. Says whether the hint was still in force, so that the verdict is one about it.</summary>
    public bool Release(CircuitPermit probe, TimeSpan now) => _probes.Remove(probe) && now < _ends;

    /// <summary>A probe of our own had content.</summary>
    public void Refute()
    {
        Clear();
        _refuted = true;
    }

    /// <summary>A request of our own failed: the others may be right.</summary>
    public void Doubt() => _refuted = false;

    public void Clear()
    {
        _ends = TimeSpan.MinValue;
        _probes.Clear();
    }

    private TimeSpan WaitForProbes(TimeSpan now, CircuitBreakerSettings settings)
    {
        // A probe that is silent for so long must not keep the others out; nor is it a judgement.
        _probes.RemoveAll(p => now - p.EnteredAt >= settings.ProbeTimeout);
        return _probes.Count < settings.HalfOpenProbes ? TimeSpan.Zero
            : _ends - now < CircuitCell.ProbeWait ? _ends - now
            : CircuitCell.ProbeWait;
    }
}
