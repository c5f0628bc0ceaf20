using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>
/// The circuit once more, as plainly as it can be said: everything that happened is kept in lists and looked through
/// again for every question. Not thread-safe, slow, and sharing nothing with the cell but the options and the vocabulary.
/// </summary>
internal sealed class ReferenceCircuit(Func<double> random)
{
    private readonly List<Permit> _permits = [];
    private readonly List<bool> _failures = [];
    private readonly List<Outcome> _timed = [];
    private CircuitBreakerOptions _options = new();
    private string _state = "closed";
    private int _era;
    private bool _probation;
    private long _openUntil;
    private readonly List<string> _breaksSinceSuccess = [];
    private long _hintUntil;
    private int _hint;
    private bool _knowsBetter;

    public long Now { get; set; }

    public List<(CircuitStatus From, CircuitStatus To, CircuitTransitionReason Reason, long Break)> Told { get; } = [];

    public CircuitStatus Status => _state switch
    {
        "closed" => CircuitStatus.Closed,
        "open" => CircuitStatus.Open,
        "half-open" => CircuitStatus.HalfOpen,
        "isolated" => CircuitStatus.Isolated,
        _ => throw new InvalidOperationException(_state),
    };

    public bool OnProbation => _state == "closed" && _probation;

    public int FailuresInARow => Enumerable.Reverse(_failures).TakeWhile(failed => failed).Count();

    public int BreaksInARow => _breaksSinceSuccess.Count;

    public int Probes => _state == "half-open" ? ProbesOut().Count : 0;

    public long TimeToHalfOpen => _state switch
    {
        "isolated" => long.MaxValue,
        "open" when _openUntil > Now => _openUntil - Now,
        _ => 0,
    };

    public long Hinted => _hintUntil > Now ? _hintUntil - Now : 0;

    /// <summary>True if there was no hint before and is one now.</summary>
    public bool Hint(long length)
    {
        if (_state != "closed" || _probation || _knowsBetter || length <= 0)
        {
            return false;
        }

        var isNews = Hinted == 0;
        _hint += isNews ? 1 : 0;
        _hintUntil = Now + Math.Min(length, _options.MaxBreakDuration.Ticks);
        return isNews;
    }

    /// <summary>Zero if entered.</summary>
    public long Enter(CircuitBreakerOptions options, int permitId)
    {
        if (!options.Enabled)
        {
            _permits.Add(new Permit { Id = permitId, Era = -1 });
            return 0;
        }

        if (options.SamplingDuration != _options.SamplingDuration)
        {
            // Only buckets are known, not instants: what is remembered moves to the end of its bucket.
            var width = _options.SamplingDuration.Ticks / 10;
            _timed.RemoveAll(outcome => outcome.Time / width <= (Now / width) - 10);
            foreach (var outcome in _timed)
            {
                var endOfBucket = (outcome.Time / width * width) + width - 1;
                outcome.Time = endOfBucket < Now ? endOfBucket : Now;
            }
        }

        _options = options;

        if (_state == "half-open")
        {
            var hung = ProbesOut().Where(probe => Now - probe.Entered >= options.ProbeTimeout.Ticks).ToList();
            if (hung.Count > 0)
            {
                Open(CircuitTransitionReason.ProbeTimedOut, hung.Min(probe => probe.Entered) + options.ProbeTimeout.Ticks, 0);
            }
        }

        if (_state == "open" && Now >= _openUntil)
        {
            Become("half-open", CircuitTransitionReason.BreakOver, 0);
        }

        long wait = 0;
        if (_state == "open")
        {
            wait = _openUntil - Now;
        }
        else if (_state == "isolated")
        {
            wait = options.MaxBreakDuration.Ticks;
        }
        else if (_state == "half-open" && ProbesOut().Count >= options.HalfOpenProbes)
        {
            var firstDeadline = ProbesOut().Min(probe => probe.Entered) + options.ProbeTimeout.Ticks;
            wait = firstDeadline - Now < TimeSpan.TicksPerSecond ? firstDeadline - Now : TimeSpan.TicksPerSecond;
        }

        else if (_state == "closed" && Hinted > 0)
        {
            foreach (var silent in _permits.Where(each => each.Hint == _hint && Now - each.Entered >= options.ProbeTimeout.Ticks))
            {
                silent.Hint = 0;
            }

            if (_permits.Count(each => each.Hint == _hint && !each.HadVerdict) >= options.HalfOpenProbes)
            {
                wait = Math.Min(Hinted, TimeSpan.TicksPerSecond);
            }
        }

        _permits.Add(new Permit { Id = permitId, Era = wait == 0 ? _era : -1, Entered = Now, Hint = wait == 0 && Hinted > 0 ? _hint : 0 });
        return wait;
    }

    public void FirstContent(int permitId, long sinceStart)
    {
        var permit = _permits.Single(each => each.Id == permitId);
        if (permit.HadContent || permit.HadVerdict)
        {
            return;
        }

        permit.HadContent = true;
        if (permit.Era != _era)
        {
            return;
        }

        var slow = _options.SlowCallThreshold.Ticks;
        if (slow != 0 && sinceStart > slow)
        {
            permit.HadVerdict = true;
            Fail(0, Answers(permit));
        }
        else if (Answers(permit))
        {
            KnowBetter();
        }
        else if (_state == "half-open")
        {
            Become("closed", CircuitTransitionReason.ProbeFirstContent, 0);
            KnowBetter();
            Forget();
            _probation = true;
            permit.Era = _era;
        }
    }

    public void Verdict(int permitId, string verdict, long retryAfter)
    {
        var permit = _permits.Single(each => each.Id == permitId);
        if (permit.HadVerdict)
        {
            return;
        }

        permit.HadVerdict = true;
        if (permit.Era != _era)
        {
            return;
        }

        if (verdict == "success")
        {
            if (Answers(permit) || _state == "half-open")
            {
                KnowBetter();
            }

            if (_state == "half-open")
            {
                Become("closed", CircuitTransitionReason.ProbeSucceeded, 0);
                Forget();
            }

            _probation = false;
            _breaksSinceSuccess.Clear();
            Remember(failed: false);
        }
        else if (verdict == "failure")
        {
            Fail(retryAfter, Answers(permit));
        }
    }

    public void Isolate()
    {
        if (_state != "isolated")
        {
            Become("isolated", CircuitTransitionReason.IsolatedByHand, 0);
        }
    }

    public void CloseByHand(bool reset)
    {
        Become("closed", reset ? CircuitTransitionReason.ResetByHand : CircuitTransitionReason.ClosedByHand, 0);
        Forget();
        _probation = false;
        if (reset)
        {
            _breaksSinceSuccess.Clear();
        }
    }

    private List<Permit> ProbesOut() => _permits.Where(permit => permit.Era == _era && !permit.HadVerdict).ToList();

    private void Remember(bool failed)
    {
        _failures.Add(failed);
        _timed.Add(new Outcome { Time = Now, Failed = failed });
    }

    private void Forget()
    {
        _failures.Clear();
        _timed.Clear();
    }

    private bool Answers(Permit permit) => Hinted > 0 && permit.Hint == _hint;

    private void KnowBetter()
    {
        _knowsBetter = true;
        _hintUntil = 0;
    }

    private void Fail(long retryAfter, bool answersHint)
    {
        Remember(failed: true);
        _knowsBetter = false;
        if (_state == "half-open")
        {
            Open(CircuitTransitionReason.ProbeFailed, Now, retryAfter);
        }
        else if (_probation)
        {
            Open(CircuitTransitionReason.ProbationFailed, Now, retryAfter);
        }
        else if (answersHint)
        {
            Open(CircuitTransitionReason.HintConfirmed, Now, retryAfter);
        }
        else if (retryAfter > 0)
        {
            Open(CircuitTransitionReason.RetryAfter, Now, retryAfter);
        }
        else if (_options.Mode == CircuitBreakerMode.Consecutive)
        {
            if (FailuresInARow >= _options.FailureThreshold)
            {
                Open(CircuitTransitionReason.FailuresInARow, Now, retryAfter);
            }
        }
        else
        {
            var width = _options.SamplingDuration.Ticks / 10;
            var window = _timed.Where(outcome => outcome.Time / width > (Now / width) - 10).ToList();
            var failed = window.Count(outcome => outcome.Failed);
            if (window.Count >= _options.MinimumThroughput && failed >= _options.FailureRatio * window.Count)
            {
                Open(CircuitTransitionReason.FailureRatio, Now, retryAfter);
            }
        }
    }

    private void Open(CircuitTransitionReason reason, long since, long retryAfter)
    {
        double length = _options.BreakDuration.Ticks;
        foreach (var _ in _breaksSinceSuccess)
        {
            length *= _options.BreakFactor;
            if (length > _options.MaxBreakDuration.Ticks)
            {
                length = _options.MaxBreakDuration.Ticks;
            }
        }

        length -= length * _options.BreakJitter * random();
        if (length < retryAfter)
        {
            length = retryAfter < _options.MaxBreakDuration.Ticks ? retryAfter : _options.MaxBreakDuration.Ticks;
        }

        _breaksSinceSuccess.Add(reason.ToString());
        _openUntil = since + (long)length;
        Become("open", reason, (long)length);
    }

    private void Become(string state, CircuitTransitionReason reason, long length)
    {
        var from = Status;
        _state = state;
        _era++;
        _hintUntil = 0;
        if (state != "closed")
        {
            _probation = false;
        }

        if (from != Status)
        {
            Told.Add((from, Status, reason, length));
        }
    }

    private sealed class Permit
    {
        public required int Id { get; init; }

        public required int Era { get; set; }

        public long Entered { get; init; }

        /// <summary>The hint it was let in to answer; 0 for none.</summary>
        public int Hint { get; set; }

        public bool HadContent { get; set; }

        public bool HadVerdict { get; set; }
    }

    private sealed class Outcome
    {
        public required long Time { get; set; }

        public required bool Failed { get; init; }
    }
}
