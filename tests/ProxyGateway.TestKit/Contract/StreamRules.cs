namespace ProxyGateway.TestKit.Contract;

/// <summary>Rules 1 to 10 on an answer that is an event stream.</summary>
internal sealed class StreamRules(
    Transcript transcript, IContractFormat format, ContractRequest request, IReadOnlyList<AttemptReading> attempts, ViolationList violations)
{
    private readonly ClientReading _reading = ClientReading.Read(transcript.Client.Body, format, attempts);
    private readonly DecodedMessage _got = new();
    private int _error = -1;

    private bool ClientLeft => transcript.Client.Ending == ClientEnding.ClientLeft;

    public void Check()
    {
        foreach (var e in _reading.Delivered.Concat(_reading.Added))
        {
            _got.Append(e);
        }

        _error = _reading.Added.FindIndex(e => e.Is(EventTraits.Error));
        if (OverLimit())
        {
            violations.Add(10, "an event larger than the limit was passed on");
            return;
        }

        if (MarkInside())
        {
            // Its event is lost to clients, so nothing else can be said of the stream.
            violations.Add(1, "a byte order mark inside the stream: clients lose the event behind it");
            return;
        }

        CheckForm();
        if (_reading.Source is not { CanBeFailed: false } && Problem() is { } problem)
        {
            // What clients make of such a stream is anybody's guess, so nothing else can be said of it.
            violations.Add(problem.Rule, problem.Text);
            return;
        }

        if (_reading.Source is { CanBeFailed: false } && _error >= 0 && !transcript.GatewayGaveUp)
        {
            violations.Add(2, "the stream was terminated although its upstream answered whole");
            return;
        }

        if (!ClientLeft)
        {
            CheckEnding();
        }

        CheckSource();
    }

    private bool OverLimit() =>
        transcript.Limits?.MaxEventBytes is { } max
        && _reading.Added.Exists(e => e.Raw.Length > max && attempts.Any(a => a.Attempt.Body.AsSpan().IndexOf(e.Raw.Span) >= 0));

    private bool MarkInside() =>
        _reading.Added.Exists(e => e.Raw.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) && !e.Raw.Equals(transcript.Client.Body.AsMemory(0, e.Raw.Length)));

    /// <summary>Rules 1, 8 and 9: what stands on the wire, whatever it says.</summary>
    private void CheckForm()
    {
        if (_reading.Remainder > 0 && !ClientLeft)
        {
            violations.Add(1, $"{_reading.Remainder} bytes after the last whole event");
        }

        if (_reading.Added.Exists(e => e.Is(EventTraits.Malformed) || (e.Is(EventTraits.NoData) && !e.Is(EventTraits.Comment))))
        {
            violations.Add(1, "an event that is none of the format");
        }

        if (_reading.Added.Exists(e => e.Is(EventTraits.Comment)))
        {
            violations.Add(_reading.Source is { CanBeFailed: false } ? 2 : 9, "a comment that is not the heartbeat its clients accept");
        }

        if (_reading.HeartbeatInside)
        {
            violations.Add(2, "a heartbeat between two events of a running attempt");
        }

        if (_reading.LeakedLifecycle)
        {
            violations.Add(8, "events of an attempt that failed before its content reached the client");
        }
        else if (_error >= 0 && !_got.HasContent && _reading.Heartbeats == 0 && _reading.Delivered.Count == 0)
        {
            violations.Add(8, "the status was spent on a failure before any content");
        }
    }

    /// <summary>The first thing that the gateway said against the format's grammar; what follows an error event is another matter.</summary>
    private GrammarProblem? Problem() =>
        _reading.Added.Where((e, i) => _error < 0 || i <= _error || e.Is(EventTraits.Error)).Select(e => e.Problem).FirstOrDefault(p => p is not null);

    /// <summary>Rule 3, and the missing end marker of rule 4.</summary>
    private void CheckEnding()
    {
        var clean = transcript.Client.Ending == ClientEnding.Clean;
        var done = _reading.Delivered.Concat(_reading.Added).Any(e => e.Is(EventTraits.Done));
        var complete = done || (_got.Finishes.Count > 0 && format.IsFinished(_got, request));
        if (_error >= 0)
        {
            // One choice of several may have stopped before the stream failed.
            if (complete || _reading.Added.Exists(e => e.Is(EventTraits.Finish)))
            {
                violations.Add(3, "a stop reason or end marker in a stream that was terminated");
            }
            else if (format.CheckErrorEnding(_reading.Added[_error..]) is { } problem)
            {
                violations.Add(3, problem);
            }
            else if (clean)
            {
                violations.Add(3, "a clean end after the error event: most clients take that for a complete answer");
            }
            else if (transcript.Client is { Ending: ClientEnding.Http2Reset, ResetCode: not (null or 2) and var code })
            {
                violations.Add(3, $"reset with code {code} instead of INTERNAL_ERROR");
            }

            return;
        }

        if (!complete)
        {
            if (!violations.Has(1))
            {
                violations.Add(3, $"the stream ends ({transcript.Client.Ending}) with neither a terminal nor an error event");
            }
        }
        else if (!clean)
        {
            violations.Add(3, $"a complete stream ends with {transcript.Client.Ending}");
        }
        else if (!done && !format.MissingEnd.IsEmpty)
        {
            violations.Add(4, "the end marker is missing");
        }

        var end = _reading.Delivered.Exists(e => e.Is(EventTraits.Done)) ? -1 : _reading.Added.FindIndex(e => e.Is(EventTraits.Done));
        if (done && end < _reading.Added.Count - 1)
        {
            violations.Add(3, "something follows the end marker");
        }
    }

    /// <summary>A stream that the gateway made begins with the same event that it beats with later.</summary>
    private bool IsBeat(ContractEvent e) => e.Is(EventTraits.Heartbeat) && _reading.Source is not null;

    /// <summary>Rules 2, 4, 5 and 12: where the bytes come from.</summary>
    private void CheckSource()
    {
        var source = _reading.Source;
        if (source is { CanBeFailed: false })
        {
            CheckUntouched(source);
            return;
        }

        if (transcript.GatewayGaveUp && _error >= 0)
        {
            return;
        }

        if (source is not null && Altered(source))
        {
            violations.Add(2, "the upstream's bytes did not arrive as they were");
            return;
        }

        var lost = source is { IsExact: true } && !ClientLeft ? _reading.Undelivered.Count(e => e.Is(EventTraits.Content | EventTraits.Finish) && !e.Is(EventTraits.Optional)) : 0;
        var own = _reading.Added.Where((e, i) => i != _error && !e.Is(EventTraits.NoData | EventTraits.Malformed) && !IsBeat(e)).ToList();
        if (lost > 0)
        {
            // Events left out show as such only where nothing stands in their place.
            violations.Add(own.Count == 0 ? 12 : 2, $"{lost} events with content or a stop reason had arrived and were not passed on");
            return;
        }

        if (_error >= 0)
        {
            if (_reading.Added.Take(_error).Any(e => !e.Is(EventTraits.NoData | EventTraits.Malformed | EventTraits.Heartbeat)))
            {
                violations.Add(5, "something was appended to a stream that was then terminated");
            }

            return;
        }

        CheckMade(source, own);
    }

    private void CheckUntouched(AttemptReading source)
    {
        var missingEnd = !source.HasDone && _reading.Added.Count > 0 && _reading.Added[0].Raw.Span.SequenceEqual(format.MissingEnd.Span) ? 1 : 0;
        if (_reading.Added.Skip(missingEnd).Any(e => !e.Is(EventTraits.NoData | EventTraits.Malformed | EventTraits.Error)) && !violations.Has(3))
        {
            violations.Add(2, "the client got events that its healthy upstream did not send");
        }
        else if (_reading.Undelivered.Count > 0 && !ClientLeft && violations.Count == 0)
        {
            violations.Add(2, $"{_reading.Undelivered.Count} events of a healthy upstream are missing");
        }
    }

    /// <summary>Events of the attempt turn up verbatim behind something that is not the attempt's.</summary>
    private bool Altered(AttemptReading source)
    {
        var first = source.Events.Count - _reading.Undelivered.Count;
        for (var i = first + 1; i < source.Events.Count; i++)
        {
            var missing = source.Events[i];
            if (missing.Is(EventTraits.Content) && _reading.Added.Exists(e => e.Raw.Span.SequenceEqual(missing.Raw.Span)))
            {
                return true;
            }
        }

        return _error >= 0 && _reading.Undelivered.Any(e => e.Is(EventTraits.Content)) && source.IsExact
            && _reading.Added.Take(_error).Any(e => e.Is(EventTraits.Content));
    }

    /// <summary>A stream that is complete, or was on its way there, although its own attempt was not.</summary>
    private void CheckMade(AttemptReading? source, List<ContractEvent> own)
    {
        if (source is { CanBeComplete: true } && own.TrueForAll(e => e.Raw.Span.SequenceEqual(format.MissingEnd.Span)))
        {
            return;
        }

        var answer = attempts.LastOrDefault(a => a.Answer is not null)?.Answer;
        var finished = own.Exists(e => e.Is(EventTraits.Finish | EventTraits.Done));
        if (answer is null)
        {
            if (finished)
            {
                violations.Add(4, "a terminal that no attempt gave");
            }
            else if (own.Count > 0)
            {
                violations.Add(5, "events that no attempt gave");
            }

            return;
        }

        if (!finished)
        {
            if (own.Count > 0)
            {
                format.CompareText(_got, answer, whole: false, violations);
            }

            return;
        }

        if (_got.BrokenTool() is { } broken)
        {
            violations.Add(7, $"a terminal although the arguments of {broken} do not parse");
            return;
        }

        foreach (var (choice, reason) in _got.Finishes)
        {
            if (answer.Finishes.TryGetValue(choice, out var given) && given != reason && own.Exists(e => e.Finishes.Any(f => f.Choice == choice)))
            {
                violations.Add(4, $"choice {choice} stops with `{reason}`, the answer with `{given}`");
            }
        }

        if (own.SelectMany(e => e.Parts).FirstOrDefault(p => JsonStrings.HasLoneSurrogate(p.Text)) is { } cut && source is null)
        {
            violations.Add(5, $"{cut.Block} is cut inside a character");
        }

        format.CompareText(_got, answer, whole: true, violations);
        format.CheckContinuation(_reading.Delivered, own, answer, request, violations);
        if (transcript.Limits?.MaxDeliveredBytes is { } max && Delivered().TextBytes() > max)
        {
            violations.Add(10, "a stream was spliced although more had been delivered than may be kept");
        }
    }

    private DecodedMessage Delivered()
    {
        var delivered = new DecodedMessage();
        _reading.Delivered.ForEach(delivered.Append);
        return delivered;
    }
}
