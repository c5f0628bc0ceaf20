namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>The state of one circuit.</summary>
internal enum CircuitStatus
{
    /// <summary>Traffic flows (perhaps on probation, see <see cref="CircuitSnapshot.OnProbation"/>).</summary>
    Closed,

    /// <summary>Nobody gets in until the break is over. A break that is over is still reported as open, with nothing left to wait for, until somebody enters: no timer runs.</summary>
    Open,

    /// <summary>A few probes at a time get in.</summary>
    HalfOpen,

    /// <summary>Opened by hand; nobody gets in until it is closed by hand.</summary>
    Isolated,
}
