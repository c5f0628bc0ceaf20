namespace ProxyGateway.TestKit.Contract;

/// <summary>All that is known of one exchange once it is over: what <see cref="StreamContract"/> judges.</summary>
public sealed record Transcript
{
    /// <summary>The route's chat format, as the configuration names it.</summary>
    public string Format { get; init; } = "openai-chat";

    public byte[] RequestBody { get; init; } = [];

    /// <summary>Path and query of the request; null where the format does not look at them.</summary>
    public string? RequestTarget { get; init; }

    /// <summary>The client's request headers; empty where they are not judged.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> RequestHeaders { get; init; } = [];

    /// <summary>Every upstream call, in the order in which they began.</summary>
    public IReadOnlyList<AttemptRecord> Attempts { get; init; } = [];

    public ClientRecord Client { get; init; } = new();

    /// <summary>The route answers a stream that failed before commit as JSON (<c>ResponseFormat: Json</c>).</summary>
    public bool JsonAllowed { get; init; }

    /// <summary>The gateway may end the stream loudly without a fault of an upstream: shutdown, a slow client, a limit of its own.</summary>
    public bool GatewayGaveUp { get; init; }

    public ContractLimits? Limits { get; init; }

    public ContractCounters? Counters { get; init; }
}

/// <summary>What an attempt was to ask for.</summary>
public enum AttemptKind
{
    Streaming,
    NonStreaming,
}

/// <summary>How one upstream call ended, seen from the upstream.</summary>
public enum AttemptEnding
{
    /// <summary>The response ended as HTTP wants it, a body delimited by close included.</summary>
    Clean,

    /// <summary>Reset, closed before its end, or spoilt by broken framing.</summary>
    Broken,

    /// <summary>The upstream fell silent, and the gateway then left it.</summary>
    Stalled,

    /// <summary>The gateway left while the upstream still had something to send.</summary>
    CancelledByGateway,

    /// <summary>The gateway never left a silent upstream.</summary>
    LeftOpen,

    /// <summary>There was no connection.</summary>
    NotConnected,
}

/// <summary>What makes a stream of a cluster complete.</summary>
public enum TerminalRule
{
    Either,
    FinishReason,
    Done,
}

/// <summary>One upstream call.</summary>
public sealed record AttemptRecord
{
    public string Cluster { get; init; } = "primary";

    /// <summary>Whether the cluster is a fallback, which is not meant to see the client's credentials.</summary>
    public bool IsFallback { get; init; }

    /// <summary>The cluster asks for the client's credentials although it is a fallback.</summary>
    public bool MaySeeClientCredentials { get; init; }

    public AttemptKind Kind { get; init; }

    /// <summary>The request as the upstream read it; null where it is not judged.</summary>
    public byte[]? RequestBody { get; init; }

    /// <summary>Path and query as the upstream read them; null where they are not judged.</summary>
    public string? RequestTarget { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> RequestHeaders { get; init; } = [];

    /// <summary>The response's status; 0 where there was no response.</summary>
    public int Status { get; init; } = 200;

    public string? ContentType { get; init; }

    /// <summary>The response's body as far as it was sent, without framing and content coding.</summary>
    public byte[] Body { get; init; } = [];

    public AttemptEnding Ending { get; init; }

    /// <summary>The last bytes of <see cref="Body"/> may not have arrived: a reset over a real socket discards what is under way.</summary>
    public bool MayHaveLostBytes { get; init; }

    /// <summary>Another attempt ran beside it: it may have been whole and yet not be the client's, if that one is.</summary>
    public bool Raced { get; init; }

    public TerminalRule Terminal { get; init; }

    /// <summary>The attempt began after the client had left.</summary>
    public bool BeganAfterClientLeft { get; init; }
}

/// <summary>How the answer ended, seen from the client.</summary>
public enum ClientEnding
{
    /// <summary>Last chunk, Content-Length reached, or END_STREAM.</summary>
    Clean,

    /// <summary>HTTP/1.1: the connection was closed before the body's terminator.</summary>
    WithoutTerminator,

    /// <summary>HTTP/1.1: the connection was reset.</summary>
    ConnectionReset,

    /// <summary>HTTP/2: RST_STREAM.</summary>
    Http2Reset,

    /// <summary>The client went away itself.</summary>
    ClientLeft,

    /// <summary>The answer had not ended when the test gave up.</summary>
    TimedOut,
}

/// <summary>What the client got.</summary>
public sealed record ClientRecord
{
    /// <summary>Null where no response arrived.</summary>
    public int? Status { get; init; } = 200;

    public string? ContentType { get; init; } = "text/event-stream";

    public byte[] Body { get; init; } = [];

    public ClientEnding Ending { get; init; }

    /// <summary>The code of <see cref="ClientEnding.Http2Reset"/>, where it is known.</summary>
    public long? ResetCode { get; init; }
}

/// <summary>Limits that were in force; null is not judged.</summary>
public sealed record ContractLimits
{
    public int? MaxEventBytes { get; init; }

    public int? MaxDeliveredBytes { get; init; }

    public int? MaxRequestBytes { get; init; }

    public int? MaxAttempts { get; init; }

    /// <summary>The most bytes that were held back at any time, where the test could see it.</summary>
    public long? PeakHeldBytes { get; init; }

    /// <summary>The most decoded text that was kept at any time, where the test could see it.</summary>
    public long? PeakKeptBytes { get; init; }
}

/// <summary>What the gateway counted, over the exchanges that the test made.</summary>
public sealed record ContractCounters
{
    public long ExchangesStarted { get; init; }

    public IReadOnlyDictionary<string, long> ExchangesByOutcome { get; init; } = new Dictionary<string, long>();

    public long AttemptsStarted { get; init; }

    public IReadOnlyDictionary<string, long> AttemptsByResult { get; init; } = new Dictionary<string, long>();

    /// <summary>The closed list of outcomes; empty where it is not judged.</summary>
    public IReadOnlyCollection<string> KnownOutcomes { get; init; } = [];

    /// <summary>The closed list of attempt results; empty where it is not judged.</summary>
    public IReadOnlyCollection<string> KnownResults { get; init; } = [];

    /// <summary>Failures that breakers counted.</summary>
    public long BreakerFailures { get; init; }
}
