namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>
/// Why an attempt gave no complete answer. The one closed list: metric label, log field, breaker input and the
/// client's error code all come from it.
/// </summary>
internal enum FaultKind
{
    None = 0,

    // The upstream's.
    ConnectFailed,
    ConnectTimeout,
    TlsFailed,
    ConnectionReset,
    ResponseHeadersTimeout,
    FirstContentTimeout,
    IdleTimeout,
    AnswerTimeout,
    ReplayTimeout,
    HttpStatus,
    WrongContentType,
    ErrorBody,
    ErrorEvent,
    EndedEarly,
    EndedWithoutTerminal,
    EmptyStream,
    MalformedEvents,
    BrokenToolCall,
    EventTooLarge,
    ReplayUnusable,
    Divergence,
    NoDestination,

    // Not the upstream's.
    CircuitOpen,
    Overloaded,
    ClientGone,
    SlowClient,
    OwnLimit,
    RecoveryTimeout,
    Shutdown,
    HedgeLost,
    GatewayError,
}

/// <summary>Whose failure a fault is.</summary>
internal enum FaultSide
{
    None,
    Upstream,
    Client,
    Gateway,
}

/// <summary>How far the attempt had come.</summary>
internal enum FaultPhase
{
    Connect,
    Headers,
    FirstContent,
    Content,
    Replay,
}
