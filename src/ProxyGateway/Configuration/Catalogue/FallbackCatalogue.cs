using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Configuration.Catalogue;

/// <summary>The library's options: the <c>StreamingFallback</c> section, and what it adds to YARP's routes and clusters.</summary>
internal static class FallbackCatalogue
{
    public static OptionNode Section { get; } = Option.Block(
        "StreamingFallback",
        "Limits and switches for every guarded route.",
        Option.Flag("Enabled", "Whether failed attempts are recovered at all. When off, the guard still watches and every failure is reported loudly, but no second upstream call is made. The environment variables `AGENT_FALLBACK_ENABLED` and `FALLBACK_ENABLED` (`true`/`false`/`1`/`0`) override it.", true),
        Option.Count("MaxAttempts", "Upstream calls of one exchange, the first included.", 3, 1, 10),
        Concurrency("How many exchanges may be in flight on all guarded routes together."),
        Option.Time("CommitAfter", "At the latest after this time the answer's headers and a heartbeat go to a streaming client, because clients give up on silent headers (100 s and 300 s are common).", "00:01:00", "00:00:00.1", "00:10:00"),
        Option.Time("RecoveryTimeout", "From the first fault to the end of all recovery.", "00:01:00", "00:00:00.01", "01:00:00"),
        Option.Time("HeartbeatInterval", "How often a committed client that waits for a recovery gets a heartbeat.", "00:00:10", "00:00:00.05", "00:01:30"),
        Option.Count("MaxRequestBytes", "Largest request body on a guarded route, in bytes; beyond it 413.", 10 * 1024 * 1024, 1024, 1024 * 1024 * 1024),
        Option.Count("MaxEventBytes", "Largest event, and most bytes held back at once, in bytes.", 1024 * 1024, 1024, 64 * 1024 * 1024),
        Option.Count("MaxDeliveredBytes", "Most delivered text kept per exchange, in bytes of UTF-8. A longer stream goes on but can no longer be spliced.", 1024 * 1024, 0, 64 * 1024 * 1024),
        Option.Count("MaxAnswerBytes", "Largest non-streaming answer that is read into memory for a recovery, in bytes.", 16 * 1024 * 1024, 1024, 256 * 1024 * 1024),
        Option.Count("MaxReplayMemoryBytes", "Most memory that request bodies of all exchanges in flight may take together, in bytes, and as much again for delivered text. A request that finds no room is answered 503; a stream that finds none keeps less text, and is not spliced once it is longer. Never more than an eighth of what the process may use; 0 is no limit.", 1024L * 1024 * 1024, 0, 1024L * 1024 * 1024 * 1024),
        Option.Count("ErrorStatus", "Status of the answer when every upstream failed before anything was sent. With the default, timeouts are answered 504; any other value is used for timeouts too.", 502, 500, 599),
        Option.Flag("ExposeServedBy", "Whether guarded routes answer with `x-gateway-cluster`, `x-gateway-attempts` and `x-gateway-recovery`.", true),
        Option.List("ModelLabels", "Model names, or patterns (`*` and `?`), that metrics and traces may tell apart. The label is the entry that matches, `other` where none does; each entry multiplies the series of the metrics `gen_ai.*`.", Option.Text("position", "A model name or pattern.")) with { DefaultText = "none, and then there is no such label" });

    public static OptionNode Route { get; } = Option.Block(
        "StreamingFallback",
        "What the gateway does for this route's chat streams.",
        Option.Choice("Format", "The chat format on this route; `none` leaves the route to plain YARP.", ChatFormatNames.None, [.. ChatFormatNames.All]),
        Option.Flag("Enabled", "Whether this route's failures are recovered.", true),
        Option.Choice<ReplayPolicy>("Replay", "When the request may be sent again.") with { DefaultText = "Safe (format `a2a`, and requests that change state: Never)" },
        Option.Choice<ReplayResponseFormat>("ResponseFormat", "How a stream that failed before anything was sent is answered.", ReplayResponseFormat.Stream),
        Option.Choice<MidStreamFailureAction>("OnMidStreamFailure", "What happens after a failure in mid-stream.", MidStreamFailureAction.Splice),
        Option.Map("Models", "Model patterns (`*` and `?`) to cluster ids; the first match in file order wins.", Option.Text("pattern", "The id of the cluster that is asked.")) with { DefaultText = "none" },
        Option.Map("ModelAliases", "Names of the operator's choice to model names; applied before `Models`.", Option.Text("alias", "The model that is meant.")) with { DefaultText = "none" },
        Option.List("ListModels", "Makes this route answer `GET` with the models of these clusters and the aliases of all guarded routes, in OpenAI's form.", Option.Text("position", "The id of a cluster.")) with { DefaultText = "none" },
        Option.Choice<UnknownModelAction>("UnknownModel", "What happens to a model without a pattern, when there are patterns.", UnknownModelAction.RouteCluster));

    public static IReadOnlyList<OptionNode> Cluster { get; } =
    [
        Option.List(
            "Fallback",
            "Clusters to ask, in order, when this one gave no usable answer.",
            Option.Block(
                "position",
                "One fallback cluster.",
                Option.Text("Cluster", "The id of the cluster to ask.") with { IsRequired = true },
                Option.Text("Model", "The model to ask it for, instead of the request's own.") with { DefaultText = "the request's own" })) with { DefaultText = "none" },
        Option.Block(
            "CircuitBreaker",
            "The cluster's circuit breaker.",
            Option.Flag("Enabled", "Whether the cluster has a circuit breaker.", true),
            Option.Choice<CircuitBreakerMode>("Mode", "What counts towards opening.", CircuitBreakerMode.Consecutive),
            Option.Count("FailureThreshold", "Failures in a row that open the circuit (Consecutive).", 5, 1, 10000),
            Option.Share("FailureRatio", "Share of failures that opens the circuit (Ratio).", 0.5, 0, 1, exclusive: true),
            Option.Time("SamplingDuration", "The window of the ratio.", "00:00:30", "00:00:00.5", "01:00:00"),
            Option.Count("MinimumThroughput", "Fewest exchanges in the window for the ratio to count.", 10, 2, 100000),
            Option.Time("BreakDuration", "How long the circuit stays open the first time.", "00:00:30", "00:00:00.01", "1.00:00:00"),
            Option.Time("MaxBreakDuration", "The longest break.", "00:05:00", "00:00:00.01", "1.00:00:00") with { MinimumName = "BreakDuration" },
            Option.Share("BreakFactor", "By how much each further break in a row grows.", 1.25, 1, 10),
            Option.Share("BreakJitter", "Share by which a break is varied at random, so that gateways do not probe in step.", 0.1, 0, 0.5),
            Option.Count("HalfOpenProbes", "Exchanges let through at a time while half-open.", 1, 1, 100),
            Option.Time("ProbeTimeout", "How long a probe may be without first content or end before it counts as failed.", "00:02:00", "00:00:00.01", "01:00:00"),
            Option.Time("SlowCallThreshold", "A first content later than this counts as a failure; zero switches it off.", "00:00:00", "00:00:00", "01:00:00"),
            Option.Choice<OpenCircuitAction>("OnOpen", "What happens while the circuit is open.") with { DefaultText = "Fallback where the cluster has one, Reject elsewhere" },
            Option.Choice<AllOpenAction>("OnAllOpen", "What happens when every cluster of the plan is open.", AllOpenAction.Reject)),
        Option.Block(
            "Timeouts",
            "The clocks of one attempt.",
            Option.Time("Connect", "To an open connection, TLS included.", "00:00:05", "00:00:00.01", "00:05:00"),
            Option.Time("ResponseHeaders", "From the start of a streaming attempt to its response headers.", "00:00:30", "00:00:00.01", "01:00:00"),
            Option.Time("FirstContent", "From the start of a streaming attempt to its first content.", "00:01:00", "00:00:00.01", "01:00:00"),
            Option.Time("Idle", "Between two contents. Comments, pings and empty deltas do not reset it.", "00:00:30", "00:00:00.01", "01:00:00"),
            Option.Time("Answer", "From the start of a non-streaming client's attempt to the last byte of its answer.", "00:02:00", "00:00:00.01", "01:00:00"),
            Option.Time("Replay", "From the start of a replay to the last byte of its answer.", "00:00:30", "00:00:00.01", "01:00:00")),
        Option.Block(
            "Retry",
            "Which statuses count as failures and what is spent on asking again.",
            Option.List("Statuses", "Statuses that are the upstream's failure rather than its answer.", Option.Count("position", "One status.", null, 400, 599)) with { DefaultText = "408, 429, 500, 502, 503, 504, 529" },
            Option.Time("MaxRetryAfter", "The longest `Retry-After` that is waited for; a longer one goes to the fallback at once.", "00:00:05", "00:00:00", "00:05:00"),
            Option.Time("Backoff", "The pause before the same cluster is asked again after a 429 or 5xx without `Retry-After`, give or take a quarter.", "00:00:00.25", "00:00:00", "00:01:00"),
            Option.Share("Budget", "Further attempts at this cluster, as a share of its exchanges in a sliding 10 s, on top of `BudgetFloor`.", 0.2, 0, 1),
            Option.Share("BudgetFloor", "Further attempts at this cluster, per second, that `Budget` comes on top of.", 3, 0, 10000)),
        Option.Block(
            "Reconnect",
            "How an endless event stream of this cluster is taken up again after it broke off (format `agentapi`).",
            Option.Time("Delay", "The pause before the first try; it doubles with each further one, with jitter.", "00:00:00.25", "00:00:00.01", "00:01:00"),
            Option.Time("MaxDelay", "The longest pause between two tries.", "00:00:05", "00:00:00.01", "00:05:00"),
            Option.Time("Timeout", "How long the agent may stay away before the client's stream is ended; zero ends it at once.", "00:01:00", "00:00:00", "1.00:00:00"),
            Option.Time("Idle", "How long an event stream may be silent before it is taken up anew; zero is no limit.", "00:00:00", "00:00:00", "1.00:00:00")),
        Concurrency("How many exchanges may be in flight at this cluster."),
        Option.Block(
            "Hedging",
            "A second streaming attempt beside one whose first content is late, on another destination of this cluster. For routes with `Replay: Safe`.",
            Option.Flag("Enabled", "Whether a late attempt gets a second one beside it. Each costs tokens.", false),
            Option.Share("Percentile", "An attempt is late when it has waited longer for its first content than this share of the cluster's latest ones.", 0.95, 0.5, 0.999),
            Option.Time("Delay", "An attempt is late after this time, whatever was observed.", null, "00:00:00.001", "00:10:00") with { DefaultText = "as `Percentile` says" },
            Option.Time("MinDelay", "No attempt is late before this time, however quick the others were.", "00:00:00.1", "00:00:00.001", "00:10:00"),
            Option.Count("MinSamples", "First contents to observe before `Percentile` counts; until then no attempt is late.", 30, 1, 256)),
        Option.Block(
            "Credentials",
            "The gateway's own key for this cluster.",
            Option.Text("Header", "The header that carries the key.", "Authorization"),
            Option.Text("Value", "The key; better from the environment or a secret file than in the configuration file.") with { DefaultText = "none" },
            Option.Text("ValueFile", "A file that holds the key and nothing else, in place of `Value`; relative to the configuration file (in a program of your own: to its working directory). A changed file is noticed within seconds.") with { DefaultText = "none" },
            Option.Text("Scheme", "The word before the key; an empty one for none.") with { DefaultText = "Bearer where the header is Authorization, none elsewhere" }),
        Option.Flag("ForwardClientCredentials", "Whether the client's `Authorization`, `x-api-key`, `Cookie` and the like are sent to this cluster.") with { DefaultText = "true where the cluster is the route's own or chosen by model and has no `Credentials`, false elsewhere" },
        Option.Flag("ForwardTraceContext", "Whether this cluster is told the trace that a request belongs to: `traceparent` and what goes with it (`tracestate`, `baggage`). Holds for plain YARP routes to it as well.", false),
        Option.Map("ModelMap", "Model names as clients say them to names as this cluster knows them.", Option.Text("model", "The name this cluster knows.")) with { DefaultText = "none" },
        Option.Choice<TerminalProfile>("Terminal", "What the end of this cluster's streams looks like.", TerminalProfile.Auto),
    ];

    private static OptionNode Concurrency(string description) => Option.Block(
        "Concurrency",
        description,
        Option.Count("Limit", "Exchanges in flight at a time; 0 is no limit.", 0, 0, 1_000_000),
        Option.Count("Queue", "Exchanges that may wait for a place; what comes beyond is refused at once.", 32, 0, 100_000),
        Option.Time("QueueTimeout", "The longest wait for a place.", "00:00:01", "00:00:00.01", "00:01:00"));
}
