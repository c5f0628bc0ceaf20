using Microsoft.AspNetCore.Http;
using ProxyGateway.SimulationTests.Simulation;
using ProxyGateway.StreamingFallback.ClientStream;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>Runs one case and judges it: the stream contract, and what only a simulation sees (time, flushes, crashes, hangs).</summary>
internal sealed class GridExchange : IDisposable
{
    /// <summary>First content, a stream with pauses, recovery, one more idle stream, and the pause before a reset.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60 + (6 * 14) + 60 + 30 + 2);

    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10.1);
    private static readonly TimeSpan LatestHeaders = TimeSpan.FromSeconds(60.1);

    private SimulatedGateway _gateway = new();

    public (Transcript Transcript, IReadOnlyList<Violation> Violations) Run(GridCase @case)
    {
        var scripts = new GridScripts(@case);
        var stream = @case.Subject.Stream;
        var route = scripts.Route;
        using var client = new SimulatedClient(_gateway.Time, http2: @case.Pick(8, 2) == 1);
        _gateway.Upstream.Begin(client, @case.Chunk, @case.Subject.Format.AsksForStream, scripts.Answer);
        var ended = _gateway.Run(route, stream.Request, @case.Subject.Format.Target, client, out var thrown);
        var attempts = _gateway.Upstream.Attempts;
        var transcript = new Transcript
        {
            Format = @case.Subject.Format.Name,
            RequestBody = stream.Request,
            RequestTarget = @case.Subject.Format.Target,
            RequestHeaders = [KeyValuePair.Create("Authorization", "Bearer the-client's-own")],
            Attempts = [.. attempts.Select(a => a.ToRecord(stream.Terminal))],
            Client = Record(client, ended, thrown),
            JsonAllowed = @case.Replay == ReplayKind.AsJson,
            Limits = new ContractLimits { MaxAttempts = SimulatedGateway.MaxAttempts, MaxEventBytes = stream.MaxEventBytes, MaxDeliveredBytes = stream.MaxDeliveredBytes },
            Counters = _gateway.Meters.Counters(attempts.Count),
        };
        var violations = new ViolationList();
        foreach (var violation in StreamContract.Check(transcript))
        {
            violations.Add(violation.Rule, violation.Text);
        }

        if (ended)
        {
            CheckRun(@case, client, thrown, violations);
            CheckTimes(client, violations);
            CheckOutcome(transcript, violations);
            CheckRecovered(@case, transcript, violations);
            CheckLeave(client, violations);
            if (!scripts.IsPaused)
            {
                // With pauses a clock may have run out, which the bytes do not show.
                CheckCancelled(@case, transcript, violations);
            }
        }
        else
        {
            // What hangs still holds on to its gateway.
            _gateway = new SimulatedGateway();
        }

        return (transcript, violations.Items);
    }

    public void Dispose() => _gateway.Dispose();

    private static ClientRecord Record(SimulatedClient client, bool ended, Exception? thrown)
    {
        var ending = !ended ? ClientEnding.TimedOut
            : client.HasLeft ? ClientEnding.ClientLeft
            : client.ResetCode is not null ? ClientEnding.Http2Reset
            : thrown is null ? ClientEnding.Clean
            : client.IsHttp2 ? ClientEnding.Http2Reset : ClientEnding.WithoutTerminator;
        var clean = ending == ClientEnding.Clean;
        return new ClientRecord
        {
            Status = client.HasStarted || clean ? client.StatusCode : thrown is not null && !client.HasLeft ? StatusCodes.Status500InternalServerError : null,
            ContentType = client.Headers.ContentType,
            Body = clean ? client.WrittenBytes : client.FlushedBytes,
            Ending = ending,
            ResetCode = client.ResetCode,
        };
    }

    private void CheckRun(GridCase @case, SimulatedClient client, Exception? thrown, ViolationList violations)
    {
        if (_gateway.Crash is { } crash)
        {
            violations.Add(0, $"the gateway crashed: {crash.GetType().Name}: {crash.Message}");
        }

        if (thrown is not null and not StreamTerminatedException)
        {
            violations.Add(0, $"an exception reached the server: {thrown.GetType().Name}: {thrown.Message}");
        }

        if (_gateway.Time.ArmedTimers > 0)
        {
            violations.Add(0, "a timer was left behind");
        }

        if (_gateway.Upstream.LeftUnflushed)
        {
            violations.Add(12, "bytes were written and not flushed when the upstream paused");
        }

        if (_gateway.Meters.Active != 0)
        {
            violations.Add(14, $"{_gateway.Meters.Active} streams are active after the end");
        }

        if (client.ResetCode is not null && client.Unflushed > 0)
        {
            violations.Add(3, "bytes were left unflushed by the reset");
        }

        if (client.Headers.ContentType == ContractFormats.Get(@case.Subject.Format.Name).StreamContentType)
        {
            CheckFlushes(@case, client, violations);
        }
    }

    private static void CheckFlushes(GridCase @case, SimulatedClient client, ViolationList violations)
    {
        var format = @case.Subject.Format;
        var bytes = client.FlushedBytes;
        var before = 0;
        foreach (var (_, length) in client.Flushes)
        {
            if (!format.EndsEvent(bytes.AsSpan(0, length)))
            {
                violations.Add(1, "a flush ended inside an event");
            }

            if (format.CheckFlush(@case.Subject.Stream, bytes.AsMemory(before, length - before)) is { } problem)
            {
                violations.Add(6, problem);
            }

            before = length;
        }
    }

    private void CheckTimes(SimulatedClient client, ViolationList violations)
    {
        var end = _gateway.Time.Now;
        if (end > Longest)
        {
            violations.Add(9, $"the exchange took {end.TotalSeconds:0} s");
        }

        if (client.HasLeft)
        {
            return;
        }

        var first = client.Flushes.Count > 0 ? client.Flushes[0].At : end;
        if (first > LatestHeaders)
        {
            violations.Add(8, $"the headers came after {first.TotalSeconds:0} s");
        }

        // From the end of the last streaming attempt on nobody but a heartbeat can keep the client.
        var from = _gateway.Upstream.Attempts.FindLast(a => a.Streaming)?.EndedAt ?? TimeSpan.Zero;
        from = from > first ? from : first;
        foreach (var at in client.Flushes.Select(f => f.At).Where(at => at > from).Append(end))
        {
            if (at - from > LongestSilence)
            {
                violations.Add(9, $"a committed client heard nothing for {(at - from).TotalSeconds:0} s");
            }

            from = at > from ? at : from;
        }
    }

    /// <summary>A gateway that always gave up would keep the contract: where the replay says the same words, they must be joined.</summary>
    private void CheckRecovered(GridCase @case, Transcript transcript, ViolationList violations)
    {
        var mayRecover = @case.Replay is ReplayKind.Equal or ReplayKind.EqualAtFallback or ReplayKind.Slow
            && @case.End is StreamEnd.Reset or StreamEnd.Clean or StreamEnd.Stall or StreamEnd.ErrorEvent
            && !@case.Subject.Stream.CannotBeJoined && @case.Subject.IsReplayable
            // The fallback cluster may be asked for the stream again, which then breaks in its own way.
            && (!@case.Subject.Stream.IsBroken || @case.Replay == ReplayKind.Equal);
        if (mayRecover && _gateway.Meters.Outcome is not ("completed" or "recovered") && CanBeJoined(@case, transcript))
        {
            violations.Add(5, $"an equal replay was not joined ({_gateway.Meters.Outcome})");
        }
    }

    /// <summary>Whether what the client may have of the first attempt is no more than a replay can go on from.</summary>
    private static bool CanBeJoined(GridCase @case, Transcript transcript)
    {
        var format = ContractFormats.Get(@case.Subject.Format.Name);
        var reading = AttemptReading.Read(transcript.Attempts[0], format, format.ReadRequest(transcript.RequestBody, transcript.RequestTarget)!, transcript.Limits);
        return reading.ContentEvents == 0 || (CanBeJoined(format, reading.Events) && CanBeJoined(format, reading.Events.Where(e => !e.Is(EventTraits.Optional))));
    }

    private static bool CanBeJoined(IContractFormat format, IEnumerable<ContractEvent> events)
    {
        var stream = format.NewStream();
        foreach (var e in events)
        {
            format.TryReadBlock(e.Raw, isStart: true, out var block);
            stream.Read(block);
        }

        return stream.CanBeJoined;
    }

    /// <summary>Who leaves ends the attempt, whatever that had come to: nothing is held against the upstream.</summary>
    private void CheckLeave(SimulatedClient client, ViolationList violations)
    {
        if (client.HasLeft && _gateway.Meters.Outcome == "client_gone" && _gateway.Meters.AttemptsThat("failed") > 0)
        {
            violations.Add(11, "an attempt that the client left was counted as the upstream's failure");
        }
    }

    /// <summary>The outcome that was counted is the one the client saw.</summary>
    private void CheckOutcome(Transcript transcript, ViolationList violations)
    {
        var client = transcript.Client;
        var seen = client.Ending == ClientEnding.ClientLeft ? "client_gone"
            : client.Ending != ClientEnding.Clean ? "terminated"
            : client.Status >= 500 ? "failed"
            : client.Status >= 400 ? "relayed"
            : transcript.Attempts.Count == 1 ? "completed" : "recovered";
        // Who leaves after the end had everything.
        var hadAll = seen == "client_gone" && _gateway.Meters.Outcome is "completed" or "recovered";
        if (_gateway.Meters.Outcome != seen && !hadAll)
        {
            violations.Add(14, $"the client saw `{seen}` and `{_gateway.Meters.Outcome}` was counted");
        }
    }

    /// <summary>An attempt may be cut short only for a fault in what it had sent, or after its end.</summary>
    private void CheckCancelled(GridCase @case, Transcript transcript, ViolationList violations)
    {
        var format = ContractFormats.Get(@case.Subject.Format.Name);
        var request = format.ReadRequest(transcript.RequestBody, transcript.RequestTarget)!;
        for (var i = 0; i < transcript.Attempts.Count; i++)
        {
            if (_gateway.Upstream.Attempts[i].CancelledEarly && !transcript.Client.Ending.Equals(ClientEnding.ClientLeft))
            {
                var reading = AttemptReading.Read(transcript.Attempts[i], format, request, transcript.Limits);
                if (!reading.HasFault && !reading.CanBeComplete && !reading.IsUnclear)
                {
                    violations.Add(2, "an upstream was cancelled although nothing was wrong with it");
                }
            }
        }
    }
}
