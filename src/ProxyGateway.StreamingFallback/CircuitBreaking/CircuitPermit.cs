namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>
/// The right to make one exchange (or attempt), and the duty to say how it went. Only the first verdict counts;
/// a permit from before the circuit's last change of state counts nothing. Safe to call from any thread, any number of times.
/// </summary>
internal sealed class CircuitPermit
{
    /// <summary>Counts nothing: for a circuit that is switched off, and for who goes on although refused.</summary>
    public static readonly CircuitPermit Uncounted = new(cell: null, generation: 0, enteredAt: TimeSpan.Zero);

    private readonly CircuitCell? _cell;

    internal CircuitPermit(CircuitCell? cell, long generation, TimeSpan enteredAt)
    {
        _cell = cell;
        Generation = generation;
        EnteredAt = enteredAt;
    }

    internal enum PermitStage
    {
        Entered,
        FirstContent,
        Judged,
    }

    internal TimeSpan EnteredAt { get; }

    /// <summary>Whether it was given to probe a half-open circuit: for one attempt, not for a series.</summary>
    public bool IsProbe { get; init; }

    /// <summary>Guarded by the cell's lock.</summary>
    internal long Generation { get; set; }

    /// <summary>Guarded by the cell's lock.</summary>
    internal PermitStage Stage { get; set; }

    /// <summary>The upstream sends content. A probe's closes the circuit on probation. One that is slower than the <c>SlowCallThreshold</c> is itself the verdict: a failure.</summary>
    public void OnFirstContent(TimeSpan sinceStart) => _cell?.FirstContent(this, sinceStart);

    /// <summary>The answer is complete.</summary>
    public void OnSuccess() => _cell?.Judge(this, CircuitVerdict.Success);

    /// <summary>The upstream failed.</summary>
    /// <param name="minimumBreak">Above zero (the upstream's Retry-After), the circuit opens at once and for at least that long, or for MaxBreakDuration.</param>
    public void OnFailure(TimeSpan minimumBreak = default) => _cell?.Judge(this, CircuitVerdict.FailureWithRetryAfter(minimumBreak));

    /// <summary>Nothing was learnt about the upstream. A probe's slot is free again.</summary>
    public void OnNeutral() => _cell?.Judge(this, CircuitVerdict.Neutral);

    public void On(CircuitVerdict verdict) => _cell?.Judge(this, verdict);
}
