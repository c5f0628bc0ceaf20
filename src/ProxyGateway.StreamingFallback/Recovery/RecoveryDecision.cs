using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Recovery;

/// <summary>What comes after a failed attempt.</summary>
internal enum RecoveryStep
{
    /// <summary>No further attempt: the loud ending, or an HTTP error where nothing was sent.</summary>
    GiveUp,

    /// <summary>The upstream's own error answer goes to the client.</summary>
    Relay,

    /// <summary>The same cluster is asked again.</summary>
    SameCluster,

    /// <summary>The next cluster of the plan is asked.</summary>
    NextCluster,
}

/// <summary>What comes next, how, and after which pause.</summary>
internal readonly record struct RecoveryDecision(RecoveryStep Step, AttemptMode Mode = AttemptMode.NonStreaming, TimeSpan Delay = default);

/// <summary>All that the choice depends on.</summary>
internal readonly record struct RecoverySituation
{
    public required Fault Fault { get; init; }

    /// <summary>Whether this is the exchange's first attempt, so that an upstream's own error is the answer.</summary>
    public required bool IsFirstAttempt { get; init; }

    /// <summary>Whether the fault is the upstream's own answer to the client (a status that is not on the retry list).</summary>
    public required bool IsClientError { get; init; }

    public required AttemptMode Mode { get; init; }

    public required bool ClientStreaming { get; init; }

    public required DeliveredKind Delivered { get; init; }

    public required bool CanSplice { get; init; }

    public required bool Enabled { get; init; }

    public required ReplayPolicy Replay { get; init; }

    public required MidStreamFailureAction OnMidStreamFailure { get; init; }

    public required int AttemptsLeft { get; init; }

    /// <summary>Attempts made at this cluster in this exchange.</summary>
    public required int AttemptsHere { get; init; }

    /// <summary>Whether content was delivered by this cluster.</summary>
    public required bool DeliveredHere { get; init; }

    public required bool IsFallbackCluster { get; init; }

    public required bool AnotherClusterLeft { get; init; }

    /// <summary>Whether the failing cluster's retry budget has room for a further attempt there.</summary>
    public required bool BudgetLeft { get; init; }

    /// <summary>Whether the cluster is asked to find out if it is well again. One attempt is enough for that.</summary>
    public bool IsProbe { get; init; }

    /// <summary>Clusters, this one included, that got the request and failed on it in a way that may be the request's doing.</summary>
    public int ClustersFailedOnRequest { get; init; }

    public required TimeSpan TimeLeft { get; init; }

    public required TimeSpan MaxRetryAfter { get; init; }

    public required TimeSpan Backoff { get; init; }
}
