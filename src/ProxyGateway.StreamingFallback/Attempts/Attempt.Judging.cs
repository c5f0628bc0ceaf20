using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <content>What an attempt came to, once its bytes are over.</content>
internal sealed partial class Attempt
{
    protected override void OnConcluded()
    {
        ConcludedAt = _exchange.Time.GetTimestamp();
        Usage = _guard?.Usage ?? (Features.StatusCode is >= 200 and < 300 && !PassedThrough ? _exchange.Route.Format.ReadUsage(Kept.Span) : default);
    }

    /// <summary>What is left to send is in <see cref="Rest"/>.</summary>
    protected override AttemptOutcome Judge(IForwarderErrorFeature? error)
    {
        if (Race?.IsLostFor(this) == true && Clock.Fired == FaultKind.None && _guard is not { State: GuardState.Faulted })
        {
            return Failed(new Fault(FaultKind.HedgeLost, FaultPhase.FirstContent));
        }

        if (_guard is { State: GuardState.Finished or GuardState.Done })
        {
            _guard.End(FaultKind.None, Rest);
            return AttemptOutcome.Complete;
        }

        if (_cutAnswer is var (status, headers))
        {
            (Features.StatusCode, Features.Headers) = (status, headers);
        }

        var kind = _exchange.Client.Aborted.IsCancellationRequested ? FaultKind.ClientGone
            : Clock.Fired != FaultKind.None ? Clock.Fired
            : _guard is { State: GuardState.Faulted } ? _guard.Fault
            : _truncated && _handling == Handling.Discard ? (Features.StatusCode < 300 ? FaultKind.OwnLimit : FaultKind.None)
            : _exchange.Shutdown.IsCancellationRequested ? FaultKind.Shutdown
            : error is not null ? UpstreamError.Classify(error)
            : FaultKind.None;
        if (_guard is not null)
        {
            var phase = _guard.State is GuardState.Holding || !_delivering ? FaultPhase.FirstContent : FaultPhase.Content;
            _guard.End(kind, Rest);
            if (_guard.State == GuardState.Done)
            {
                return AttemptOutcome.Complete;
            }

            // A client that left right after the stream's own fault wants no other attempt either.
            return kind == FaultKind.ClientGone ? Failed(new Fault(kind, phase)) : Failed(new Fault(_guard.Fault, phase, Complaint: _guard.Reader.Complaint));
        }

        if (kind != FaultKind.None)
        {
            return Failed(new Fault(kind, kind.NeverArrived() ? FaultPhase.Connect : Mode == AttemptMode.NonStreaming && _isReplay ? FaultPhase.Replay : FaultPhase.Headers));
        }

        return Features.StatusCode is >= 200 and < 300 ? JudgeAnswer() : JudgeStatus();
    }

    private static AttemptOutcome Failed(Fault fault) => new(
        fault.Kind.Side() == FaultSide.Upstream ? AttemptResult.Failed : AttemptResult.Cancelled,
        fault);

    private AttemptOutcome JudgeStatus()
    {
        var status = Features.StatusCode;
        var complaint = Kept.Length > 0 ? _exchange.Route.Format.ReadErrorBody(Kept.Span) : UpstreamComplaint.None;
        var fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, status, complaint, UpstreamError.ReadRetryAfter(Features.Headers, _exchange.Time));
        return Cluster.RetryStatuses.Contains(status)
            ? new AttemptOutcome(AttemptResult.Failed, fault)
            : new AttemptOutcome(AttemptResult.Answer, fault with { RetryAfter = null }, IsClientError: true);
    }

    private AttemptOutcome JudgeAnswer()
    {
        if (!_exchange.Request.Streaming || PassedThrough)
        {
            return AttemptOutcome.Complete;
        }

        var format = _exchange.Route.Format;
        var verdict = _exchange.AnswersAsJson(Mode)
            ? format.CheckAnswer(_exchange.Request, Kept.Memory)
            : format.Continue(_exchange.Request, _exchange.Delivered, Kept.Memory, Rest);
        if (verdict == AnswerVerdict.Usable)
        {
            return AttemptOutcome.Complete;
        }

        var phase = Mode == AttemptMode.Streaming ? FaultPhase.FirstContent : FaultPhase.Replay;
        var kind = verdict switch
        {
            AnswerVerdict.Divergent => FaultKind.Divergence,
            AnswerVerdict.Error => FaultKind.ErrorBody,
            _ when Mode == AttemptMode.NonStreaming => FaultKind.ReplayUnusable,
            _ => Kept.Length == 0 ? FaultKind.EmptyStream : FaultKind.WrongContentType,
        };
        var complaint = verdict == AnswerVerdict.Error ? format.ReadErrorBody(Kept.Span) : UpstreamComplaint.None;
        var fault = new Fault(kind, phase, Complaint: complaint);
        return verdict == AnswerVerdict.Error && format.IsErrorOfRequest(Kept.Span)
            ? new AttemptOutcome(AttemptResult.Answer, fault, IsClientError: true)
            : Failed(fault);
    }
}
