using System.Diagnostics;
using ProxyGateway.StreamingFallback.Configuration;
using static ProxyGateway.StreamingFallback.CircuitBreaking.CircuitPermit;

namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>
/// The state of one circuit. It lives outside pipelines and snapshots and so survives reloads; the settings come
/// with every caller, and the latest ones that somebody entered with judge all verdicts.
/// </summary>
/// <remarks>
/// Every change of state starts a new generation, and a permit counts only in its own: the late end of a stream
/// from before an outage must not decide about the probe after it. The one exception is the probe whose first
/// content closed the circuit: it goes over into the generation it started, because its end is what ends the probation.
/// Failures in a row and the window are both always kept; the mode only says which of them is looked at.
/// </remarks>
internal sealed class CircuitCell
{
    /// <summary>What a caller is told while all probes are out: a verdict can come at any moment.</summary>
    internal static readonly TimeSpan ProbeWait = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Func<double> _random;
    private readonly long _origin;
    private readonly OutcomeWindow _window = new();
    private readonly CircuitTransitionQueue _transitions = new();
    private readonly SharedHint _hint = new();

    // Oldest first.
    private readonly List<CircuitPermit> _probes = new(1);

    private CircuitBreakerSettings _settings = CircuitBreakerSettings.Default;
    private CircuitStatus _status;
    private long _generation;
    private int _failuresInARow;
    private bool _onProbation;
    private int _breaksInARow;
    private TimeSpan _breakEnds;

    public CircuitCell(TimeProvider time, Func<double>? random = null)
    {
        _time = time;
        _random = random ?? Random.Shared.NextDouble;
        _origin = time.GetTimestamp();
        _window.Resize(_settings.SamplingDuration, TimeSpan.Zero);
    }

    /// <summary>Raised outside the lock, one at a time and in order, on the thread of whoever happens to be there. A handler must be quick and must not throw.</summary>
    public event Action<CircuitTransition>? Transitioned;

    /// <inheritdoc cref="CircuitStatus"/>
    public CircuitStatus Status => Snapshot().Status;

    /// <inheritdoc cref="CircuitSnapshot.TimeToHalfOpen"/>
    public TimeSpan TimeToHalfOpen => Snapshot().TimeToHalfOpen;

    public CircuitSnapshot Snapshot()
    {
        lock (_gate)
        {
            var now = Now_NeedsLock();
            var toHalfOpen = _status switch
            {
                CircuitStatus.Open => Max(_breakEnds - now, TimeSpan.Zero),
                CircuitStatus.Isolated => TimeSpan.MaxValue,
                _ => TimeSpan.Zero,
            };
            return new(_status, toHalfOpen, _failuresInARow, _onProbation, _breaksInARow, _probes.Count) { Hinted = _hint.Remaining(now) };
        }
    }

    /// <summary>Asks for a permit.</summary>
    /// <param name="settings">Those of the caller's snapshot.</param>
    /// <param name="permit">Never null; whoever is refused gets one that counts nothing.</param>
    /// <param name="retryAfter">Above zero exactly if refused. An isolated circuit, about which nobody knows, names the longest break.</param>
    public bool TryEnter(CircuitBreakerSettings settings, out CircuitPermit permit, out TimeSpan retryAfter)
    {
        if (!settings.Enabled)
        {
            (permit, retryAfter) = (Uncounted, TimeSpan.Zero);
            return true;
        }

        lock (_gate)
        {
            var now = Now_NeedsLock();
            Adopt_NeedsLock(settings, now);
            AgeProbes_NeedsLock(now);
            if (_status == CircuitStatus.Open && now >= _breakEnds)
            {
                MoveTo_NeedsLock(CircuitStatus.HalfOpen, CircuitTransitionReason.BreakOver);
            }

            retryAfter = Wait_NeedsLock(now);
            permit = retryAfter > TimeSpan.Zero ? Uncounted : Admit_NeedsLock(now);
        }

        RaiseTransitions();
        return retryAfter == TimeSpan.Zero;
    }

    /// <summary>
    /// Another replica's circuit is open for so long. Counts only where this one is closed and has no content of its own that says
    /// otherwise (<see cref="SharedHint"/>); to be repeated while it is true, for it lapses by itself.
    /// </summary>
    /// <returns>Whether a hint is in force now that was not before.</returns>
    public bool Hint(TimeSpan length)
    {
        lock (_gate)
        {
            var now = Now_NeedsLock();
            var isNew = _hint.Remaining(now) == TimeSpan.Zero;
            return _status == CircuitStatus.Closed && !_onProbation && _hint.Learn(now, Min(length, _settings.MaxBreakDuration)) && isNew;
        }
    }

    /// <summary>Opens the circuit by hand until <see cref="Close"/> or <see cref="Reset"/>. A circuit that is switched off lets everybody in all the same.</summary>
    public void Isolate()
    {
        lock (_gate)
        {
            if (_status != CircuitStatus.Isolated)
            {
                MoveTo_NeedsLock(CircuitStatus.Isolated, CircuitTransitionReason.IsolatedByHand);
            }
        }

        RaiseTransitions();
    }

    /// <summary>Lets traffic flow now and forgets what was counted, also by who is still under way. The growth of breaks stays: a closing by hand is a claim, only a complete answer is evidence.</summary>
    public void Close()
    {
        lock (_gate)
        {
            Close_NeedsLock(CircuitTransitionReason.ClosedByHand);
        }

        RaiseTransitions();
    }

    /// <summary>As new: <see cref="Close"/>, and the next break is a first one.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            Close_NeedsLock(CircuitTransitionReason.ResetByHand);
            _breaksInARow = 0;
        }

        RaiseTransitions();
    }

    internal void FirstContent(CircuitPermit permit, TimeSpan sinceStart)
    {
        lock (_gate)
        {
            if (permit.Stage != PermitStage.Entered)
            {
                return;
            }

            permit.Stage = PermitStage.FirstContent;
            if (permit.Generation != _generation)
            {
                return;
            }

            if (_settings.SlowCallThreshold > TimeSpan.Zero && sinceStart > _settings.SlowCallThreshold)
            {
                permit.Stage = PermitStage.Judged;
                Fail_NeedsLock(TimeSpan.Zero, _hint.Release(permit, Now_NeedsLock()));
            }
            else if (_hint.Release(permit, Now_NeedsLock()))
            {
                _hint.Refute();
            }
            else if (_status == CircuitStatus.HalfOpen)
            {
                Close_NeedsLock(CircuitTransitionReason.ProbeFirstContent);
                _hint.Refute();
                _onProbation = true;
                _failuresInARow = _settings.FailureThreshold - 1;
                permit.Generation = _generation;
            }
        }

        RaiseTransitions();
    }

    internal void Judge(CircuitPermit permit, CircuitVerdict verdict)
    {
        lock (_gate)
        {
            if (permit.Stage == PermitStage.Judged)
            {
                return;
            }

            permit.Stage = PermitStage.Judged;
            if (permit.Generation != _generation)
            {
                return;
            }

            var tellsOfHint = _hint.Release(permit, Now_NeedsLock());
            Debug.Assert(_status is CircuitStatus.Closed or CircuitStatus.HalfOpen, "Nobody enters the other generations.");
            switch (verdict.Kind)
            {
                case CircuitVerdictKind.Success:
                    Succeed_NeedsLock();
                    if (tellsOfHint)
                    {
                        _hint.Refute();
                    }

                    break;
                case CircuitVerdictKind.Failure:
                    Fail_NeedsLock(verdict.MinimumBreak, tellsOfHint);
                    break;
                default:
                    _probes.Remove(permit);
                    break;
            }
        }

        RaiseTransitions();
    }

    private void Succeed_NeedsLock()
    {
        if (_status == CircuitStatus.HalfOpen)
        {
            Close_NeedsLock(CircuitTransitionReason.ProbeSucceeded);
            _hint.Refute();
        }

        _failuresInARow = 0;
        _onProbation = false;
        _breaksInARow = 0;
        _window.Add(failed: false, Now_NeedsLock());
    }

    private void Fail_NeedsLock(TimeSpan minimumBreak, bool confirmsHint)
    {
        var now = Now_NeedsLock();
        _failuresInARow++;
        _window.Add(failed: true, now);
        _hint.Doubt();
        CircuitTransitionReason? reason = this switch
        {
            { _status: CircuitStatus.HalfOpen } => CircuitTransitionReason.ProbeFailed,
            { _onProbation: true } => CircuitTransitionReason.ProbationFailed,
            _ when confirmsHint => CircuitTransitionReason.HintConfirmed,
            _ when minimumBreak > TimeSpan.Zero => CircuitTransitionReason.RetryAfter,
            _ when _settings.Mode == CircuitBreakerMode.Ratio => RatioReached_NeedsLock(now) ? CircuitTransitionReason.FailureRatio : null,
            _ => _failuresInARow >= _settings.FailureThreshold ? CircuitTransitionReason.FailuresInARow : null,
        };
        if (reason is { } opened)
        {
            Open_NeedsLock(opened, now, minimumBreak);
        }
    }

    private bool RatioReached_NeedsLock(TimeSpan now)
    {
        var (good, failed) = _window.Count(now);
        var all = good + failed;
        return all >= _settings.MinimumThroughput && (double)failed / all >= _settings.FailureRatio;
    }

    private void Adopt_NeedsLock(CircuitBreakerSettings settings, TimeSpan now)
    {
        if (!ReferenceEquals(settings, _settings))
        {
            _settings = settings;
            _window.Resize(settings.SamplingDuration, now);
        }
    }

    // Nothing watches a probe but the next caller, so no timer is needed. The break counts from when the probe's time
    // was up, not from when somebody noticed: after a quiet hour the next caller is a probe and not refused once more.
    private void AgeProbes_NeedsLock(TimeSpan now)
    {
        if (_probes.Count > 0 && now - _probes[0].EnteredAt >= _settings.ProbeTimeout)
        {
            Open_NeedsLock(CircuitTransitionReason.ProbeTimedOut, _probes[0].EnteredAt + _settings.ProbeTimeout, TimeSpan.Zero);
        }
    }

    private TimeSpan Wait_NeedsLock(TimeSpan now) => _status switch
    {
        CircuitStatus.Closed => _hint.Wait(now, _settings),
        CircuitStatus.Open => _breakEnds - now,
        CircuitStatus.Isolated => _settings.MaxBreakDuration,
        _ when _probes.Count < _settings.HalfOpenProbes => TimeSpan.Zero,
        _ => Min(ProbeWait, _probes[0].EnteredAt + _settings.ProbeTimeout - now),
    };

    private CircuitPermit Admit_NeedsLock(TimeSpan now)
    {
        var isHinted = _hint.Remaining(now) > TimeSpan.Zero;
        var permit = new CircuitPermit(this, _generation, now) { IsProbe = isHinted || _status == CircuitStatus.HalfOpen };
        if (isHinted)
        {
            _hint.Admit(permit);
        }
        else if (permit.IsProbe)
        {
            _probes.Add(permit);
        }

        return permit;
    }

    private void Open_NeedsLock(CircuitTransitionReason reason, TimeSpan since, TimeSpan atLeast)
    {
        var length = _settings.NextBreak(_breaksInARow, _random(), atLeast);
        _breakEnds = since + length;
        _breaksInARow++;
        MoveTo_NeedsLock(CircuitStatus.Open, reason, length);
    }

    private void Close_NeedsLock(CircuitTransitionReason reason)
    {
        _failuresInARow = 0;
        _window.Clear();
        MoveTo_NeedsLock(CircuitStatus.Closed, reason);
    }

    private void MoveTo_NeedsLock(CircuitStatus status, CircuitTransitionReason reason, TimeSpan length = default)
    {
        if (status != _status)
        {
            _transitions.Add_NeedsLock(new(_status, status, reason, length));
        }

        _status = status;
        _generation++;
        _onProbation = false;
        _probes.Clear();
        _hint.Clear();
    }

    private TimeSpan Now_NeedsLock() => _time.GetElapsedTime(_origin);

    private void RaiseTransitions() => _transitions.Raise(_gate, Transitioned);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
