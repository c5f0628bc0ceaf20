using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Recovery;

/// <summary>Decides what comes after a failed attempt. Pure and total; another part carries it out.</summary>
internal static class RecoveryPolicy
{
    private static readonly RecoveryDecision GiveUp = new(RecoveryStep.GiveUp);

    public static RecoveryDecision Decide(in RecoverySituation s)
    {
        if (s.Fault.Kind.Side() != FaultSide.Upstream)
        {
            return GiveUp;
        }

        var giveUp = s.IsFirstAttempt && s.IsClientError ? new RecoveryDecision(RecoveryStep.Relay) : GiveUp;
        if (!MayAskAgain(s) || s.Fault.Complaint == UpstreamComplaint.ContentPolicy)
        {
            return giveUp;
        }

        if (s.Fault.Complaint == UpstreamComplaint.ContextLengthExceeded)
        {
            return Next(s) ?? giveUp;
        }

        if (s.IsClientError)
        {
            // The first attempt's client error is the answer. A later one only says that this cluster cannot help.
            return s.IsFirstAttempt ? giveUp : Next(s) ?? giveUp;
        }

        if (s.Fault.RetryAfter is { } wait)
        {
            return AfterWaiting(s, wait);
        }

        if (s.Fault.Kind.IsSilence())
        {
            return Next(s) ?? Same(s) ?? GiveUp;
        }

        return Same(s) ?? Next(s) ?? GiveUp;
    }

    private static bool MayAskAgain(in RecoverySituation s)
    {
        var delivered = s.Delivered != DeliveredKind.Nothing;
        return s.Enabled
            && s.AttemptsLeft > 0
            && s.TimeLeft > TimeSpan.Zero
            && s.Replay switch
            {
                ReplayPolicy.Safe => true,
                ReplayPolicy.BeforeContent => !delivered,
                // An agent that acts may be asked elsewhere only if it certainly was not asked.
                _ => s.Fault.Kind.NeverArrived() && !delivered,
            }
            && (!delivered || (s.CanSplice && s.OnMidStreamFailure == MidStreamFailureAction.Splice));
    }

    private static RecoveryDecision AfterWaiting(in RecoverySituation s, TimeSpan wait)
    {
        var nothingDelivered = s.Delivered == DeliveredKind.Nothing;
        var mayWait = wait <= s.MaxRetryAfter && wait < s.TimeLeft && s.AttemptsHere == 1 && MayAskHereAgain(s);
        if (mayWait && (nothingDelivered || !s.AnotherClusterLeft))
        {
            // Nothing is wrong with streaming: the same request in the same mode.
            return new RecoveryDecision(RecoveryStep.SameCluster, nothingDelivered ? s.Mode : AttemptMode.NonStreaming, wait);
        }

        return Next(s) ?? GiveUp;
    }

    /// <summary>
    /// Another cluster is not bound to the failing one's budget: it gets no more of this than it would with that one's circuit
    /// open. But a request that two clusters failed on is likely the reason, and is kept from a third.
    /// </summary>
    private static RecoveryDecision? Next(in RecoverySituation s) => s.AnotherClusterLeft && s.ClustersFailedOnRequest < 2
        ? new RecoveryDecision(
            RecoveryStep.NextCluster,
            s.ClientStreaming && s.Delivered == DeliveredKind.Nothing ? AttemptMode.Streaming : AttemptMode.NonStreaming)
        : null;

    /// <summary>Within the budget, and not behind a probe, unless the probe brought content: then traffic flows again.</summary>
    private static bool MayAskHereAgain(in RecoverySituation s) => s.BudgetLeft && (!s.IsProbe || s.DeliveredHere);

    /// <summary>
    /// A cluster is asked twice at most, and a fallback cluster only if it was the one that delivered: whoever just failed to
    /// answer at all is no better than the next in line.
    /// </summary>
    private static RecoveryDecision? Same(in RecoverySituation s)
    {
        if (s.AttemptsHere > 1 || !MayAskHereAgain(s) || (s.IsFallbackCluster && !s.DeliveredHere))
        {
            return null;
        }

        return new RecoveryDecision(
            RecoveryStep.SameCluster,
            AttemptMode.NonStreaming,
            s.Fault.Kind == FaultKind.HttpStatus ? s.Backoff : TimeSpan.Zero);
    }
}
