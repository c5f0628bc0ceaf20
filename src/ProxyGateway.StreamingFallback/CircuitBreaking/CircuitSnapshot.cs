namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>A consistent look at one circuit, for the status page and the metrics.</summary>
/// <param name="Status">The state.</param>
/// <param name="TimeToHalfOpen">How long nobody gets in; <see cref="TimeSpan.MaxValue"/> when isolated, zero when not open.</param>
/// <param name="FailuresInARow">One less than the threshold while on probation.</param>
/// <param name="OnProbation">Closed by a probe's first content: the next failure opens it again.</param>
/// <param name="BreaksInARow">Breaks since the last complete answer; the next one grows with it.</param>
/// <param name="Probes">Probes that are out without a verdict.</param>
internal readonly record struct CircuitSnapshot(
    CircuitStatus Status,
    TimeSpan TimeToHalfOpen,
    int FailuresInARow,
    bool OnProbation,
    int BreaksInARow,
    int Probes)
{
    /// <summary>For how long another replica's open circuit is a reason to probe first; zero where there is none.</summary>
    public TimeSpan Hinted { get; init; }
}
