namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>Why a circuit changed its state. Closed list: label of a metric and word in the log.</summary>
internal enum CircuitTransitionReason
{
    /// <summary>As many failures in a row as the threshold.</summary>
    FailuresInARow,

    /// <summary>As large a share of failures in the window as the ratio.</summary>
    FailureRatio,

    /// <summary>The upstream named a time before which it does not want to be asked.</summary>
    RetryAfter,

    /// <summary>A failure between a probe's first content and the next complete answer.</summary>
    ProbationFailed,

    /// <summary>Another replica's circuit is open, and the request that was sent to see for itself failed here as well.</summary>
    HintConfirmed,

    /// <summary>A probe failed.</summary>
    ProbeFailed,

    /// <summary>A probe came to no verdict in time.</summary>
    ProbeTimedOut,

    /// <summary>The break was over and somebody entered.</summary>
    BreakOver,

    /// <summary>A probe had its first content.</summary>
    ProbeFirstContent,

    /// <summary>A probe was answered completely.</summary>
    ProbeSucceeded,

    /// <summary>Isolated by hand.</summary>
    IsolatedByHand,

    /// <summary>Closed by hand.</summary>
    ClosedByHand,

    /// <summary>Reset by hand.</summary>
    ResetByHand,
}

/// <summary>A circuit changed its state.</summary>
/// <param name="From">The state before.</param>
/// <param name="To">The state since; never the one before.</param>
/// <param name="Reason">Why.</param>
/// <param name="Break">How long it stays open; zero unless it opened.</param>
internal readonly record struct CircuitTransition(
    CircuitStatus From,
    CircuitStatus To,
    CircuitTransitionReason Reason,
    TimeSpan Break);
