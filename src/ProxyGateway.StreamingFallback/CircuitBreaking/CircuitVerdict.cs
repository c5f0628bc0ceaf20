namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>What a result says about the upstream.</summary>
internal enum CircuitVerdictKind
{
    /// <summary>It says nothing: client gone, the caller's own 4xx, our own limits, shutdown.</summary>
    Neutral,

    /// <summary>A complete answer.</summary>
    Success,

    /// <summary>The upstream failed.</summary>
    Failure,
}

/// <summary>A verdict on one result.</summary>
/// <param name="Kind">The verdict.</param>
/// <param name="MinimumBreak">The upstream's Retry-After; zero where it named none.</param>
internal readonly record struct CircuitVerdict(CircuitVerdictKind Kind, TimeSpan MinimumBreak = default)
{
    public static CircuitVerdict Neutral => new(CircuitVerdictKind.Neutral);

    public static CircuitVerdict Success => new(CircuitVerdictKind.Success);

    public static CircuitVerdict Failure => new(CircuitVerdictKind.Failure);

    public static CircuitVerdict FailureWithRetryAfter(TimeSpan minimumBreak) => new(CircuitVerdictKind.Failure, minimumBreak);
}
