namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>What a cluster's streams end with.</summary>
public enum TerminalProfile
{
    /// <summary>As the chat format says.</summary>
    Auto,

    /// <summary>A finish reason only; the end marker alone does not count.</summary>
    FinishReason,

    /// <summary>The end marker (<c>[DONE]</c>) only; a finish reason alone does not count.</summary>
    Done,

    /// <summary>Either of the two.</summary>
    Either,
}

/// <summary>The options that StreamingFallback adds to a YARP cluster.</summary>
public sealed class ClusterFallbackOptions
{
    /// <summary>Clusters to ask, in order, when this one gave no usable answer. Default: none.</summary>
    public List<FallbackTargetOptions> Fallback { get; set; } = [];

    /// <summary>The cluster's circuit breaker.</summary>
    public CircuitBreakerOptions CircuitBreaker { get; set; } = new();

    /// <summary>The clocks of one attempt.</summary>
    public TimeoutOptions Timeouts { get; set; } = new();

    /// <summary>Which statuses count as failures and what is spent on asking again.</summary>
    public RetryOptions Retry { get; set; } = new();

    /// <summary>How an endless event stream of this cluster is taken up again after it broke off (format <c>agentapi</c>).</summary>
    public ReconnectOptions Reconnect { get; set; } = new();

    /// <summary>How many exchanges may be in flight at this cluster.</summary>
    public ConcurrencyOptions Concurrency { get; set; } = new();

    /// <summary>A second streaming attempt beside one whose first content is late, on another destination of this cluster. For routes with <c>Replay: Safe</c>.</summary>
    public HedgingOptions Hedging { get; set; } = new();

    /// <summary>The gateway's own key for this cluster.</summary>
    public CredentialOptions Credentials { get; set; } = new();

    /// <summary>
    /// Whether the client's <c>Authorization</c>, <c>x-api-key</c>, <c>Cookie</c> and the like are sent to this cluster.
    /// Default: true where the cluster is the route's own or chosen by model and has no <c>Credentials</c>, false elsewhere.
    /// </summary>
    public bool? ForwardClientCredentials { get; set; }

    /// <summary>
    /// Whether this cluster is told the trace that a request belongs to: <c>traceparent</c> and what goes with it
    /// (<c>tracestate</c>, <c>baggage</c>). Holds for plain YARP routes to it as well. Default: false.
    /// </summary>
    public bool ForwardTraceContext { get; set; }

    /// <summary>Model names as clients say them to names as this cluster knows them. Default: none.</summary>
    public Dictionary<string, string> ModelMap { get; set; } = [];

    /// <summary>What the end of this cluster's streams looks like. Default: Auto.</summary>
    public TerminalProfile Terminal { get; set; } = TerminalProfile.Auto;
}

/// <summary>One fallback cluster.</summary>
public sealed class FallbackTargetOptions
{
    /// <summary>The id of the cluster to ask. Required.</summary>
    public string Cluster { get; set; } = "";

    /// <summary>The model to ask it for, instead of the request's own. Default: the request's own.</summary>
    public string? Model { get; set; }
}

/// <summary>The clocks of one attempt. Each fires by itself on a silent upstream.</summary>
public sealed class TimeoutOptions
{
    /// <summary>To an open connection, TLS included. Default: 00:00:05. Range: 00:00:00.01 to 00:05:00.</summary>
    public TimeSpan Connect { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>From the start of a streaming attempt to its response headers. Default: 00:00:30. Range: 00:00:00.01 to 01:00:00.</summary>
    public TimeSpan ResponseHeaders { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>From the start of a streaming attempt to its first content. Default: 00:01:00. Range: 00:00:00.01 to 01:00:00.</summary>
    public TimeSpan FirstContent { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Between two contents. Comments, pings and empty deltas do not reset it. Default: 00:00:30. Range: 00:00:00.01 to 01:00:00.</summary>
    public TimeSpan Idle { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>From the start of a non-streaming client's attempt to the last byte of its answer. Default: 00:02:00. Range: 00:00:00.01 to 01:00:00.</summary>
    public TimeSpan Answer { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>From the start of a replay to the last byte of its answer. Default: 00:00:30. Range: 00:00:00.01 to 01:00:00.</summary>
    public TimeSpan Replay { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>How an endless event stream is taken up again after it broke off.</summary>
public sealed class ReconnectOptions
{
    /// <summary>The pause before the first try; it doubles with each further one, with jitter. Default: 00:00:00.25. Range: 00:00:00.01 to 00:01:00.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause between two tries. Default: 00:00:05. Range: 00:00:00.01 to 00:05:00.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the agent may stay away before the client's stream is ended; zero ends it at once. Default: 00:01:00. Range: 00:00:00 to 1.00:00:00.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long an event stream may be silent before it is taken up anew; zero is no limit. Default: 00:00:00. Range: 00:00:00 to 1.00:00:00.</summary>
    public TimeSpan Idle { get; set; } = TimeSpan.Zero;
}

/// <summary>Which statuses are failures, and what is spent on asking again.</summary>
public sealed class RetryOptions
{
    /// <summary>Statuses that are the upstream's failure rather than its answer. Default: 408, 429, 500, 502, 503, 504, 529. Range: 400 to 599 each.</summary>
    public List<int>? Statuses { get; set; }

    /// <summary>The longest <c>Retry-After</c> that is waited for; a longer one goes to the fallback at once. Default: 00:00:05. Range: 00:00:00 to 00:05:00.</summary>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause before the same cluster is asked again after a 429 or 5xx without <c>Retry-After</c>, give or take a quarter. Default: 00:00:00.25. Range: 00:00:00 to 00:01:00.</summary>
    public TimeSpan Backoff { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Further attempts at this cluster, as a share of its exchanges in a sliding 10 s, on top of <c>BudgetFloor</c>. Default: 0.2. Range: 0 to 1.</summary>
    public double Budget { get; set; } = 0.2;

    /// <summary>Further attempts at this cluster, per second, that <c>Budget</c> comes on top of. Default: 3. Range: 0 to 10000.</summary>
    public double BudgetFloor { get; set; } = 3;
}
