using ProxyGateway.StreamingFallback.CircuitBreaking;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>Every metric of the library. A new one is a line here and a method in <see cref="GatewayMetrics"/>; docs/metrics.md follows.</summary>
internal static class MetricCatalogue
{
    /// <summary>Hold the limits operators think in (1, 2, 3, 5 s) and reach the longest answers.</summary>
    private static readonly double[] Durations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600];

    /// <summary>What a proxy adds is far below a millisecond as long as all is well.</summary>
    private static readonly double[] FineDurations = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, .. Durations];

    /// <summary>As the conventions for generative AI advise.</summary>
    private static readonly double[] TokenCounts = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

    private static readonly MetricLabel Route = new("proxy.route.id");
    private static readonly MetricLabel Cluster = new("proxy.cluster.id");
    private static readonly MetricLabel Destination = new("proxy.destination.id");
    private static readonly MetricLabel Outcome = new("outcome", Words<ExchangeOutcome>(OutcomeVocabulary.Label));
    private static readonly MetricLabel Circuit = new("circuit", Words<CircuitKind>(GatewayMetrics.Label));
    private static readonly MetricLabel Operation = new("gen_ai.operation.name", GenAiWords(f => f.OperationName));
    private static readonly MetricLabel Provider = new("gen_ai.provider.name", GenAiWords(f => f.ProviderName));
    private static readonly MetricLabel Model = new("gen_ai.request.model");
    private static readonly MetricLabel TokenType = new("token.type", ["input", "output"]);
    private static readonly string[] States = Words<CircuitStatus>(GatewayMetrics.Label);

    public static MetricDefinition RequestDuration { get; } = Duration("proxygateway.request.duration", "From the request's body to the end of the answer; one per exchange.", Route, Cluster, Outcome);

    public static MetricDefinition Exchanges { get; } = Counter("proxygateway.exchanges", "Exchanges that ended, by how.", Route, Outcome);

    public static MetricDefinition StreamsActive { get; } = Gauge("proxygateway.streams.active", null, "Exchanges in flight on guarded routes.", Route);

    public static MetricDefinition TimeToFirstContent { get; } = Duration("proxygateway.time_to_first_content", "From the request's body to the first content delivered to the client.", Route, Cluster);

    public static MetricDefinition MaxGap { get; } = Duration("proxygateway.stream.max_gap", "The longest time a streaming client waited between two pieces of content, recoveries included; one per stream of two pieces or more.", Route, Cluster);

    public static MetricDefinition Overhead { get; } = Duration("proxygateway.overhead", "What the gateway itself adds to an exchange whose first attempt has content: from the request's body to the call handed to the HTTP client (waits for a place under a concurrency limit included), and from the first content's arrival (a whole answer's end) to its hand-over to the client's connection.", Route) with { Buckets = FineDurations };

    public static MetricDefinition StreamFailures { get; } = Counter("proxygateway.stream.failures", "Failed attempts, by how far they had come and why.", Route, Cluster, new MetricLabel("phase", Words<FaultPhase>(FaultVocabulary.Label)), new MetricLabel("reason", Reasons(FaultSide.Upstream)));

    public static MetricDefinition Fallbacks { get; } = Counter("proxygateway.fallbacks", "Exchanges that met a fault, by the first one and by how they ended.", Route, Cluster, new MetricLabel("reason", Reasons(FaultSide.Upstream, FaultSide.Gateway)), Outcome);

    public static MetricDefinition RecoveryDuration { get; } = Duration("proxygateway.recovery.duration", "From the first fault to the first recovered byte; one per recovered exchange.", Route);

    public static MetricDefinition Attempts { get; } = Counter("proxygateway.upstream.attempts", "Upstream calls, by mode and result.", Route, Cluster, new MetricLabel("mode", ["streaming", "non_streaming"]), new MetricLabel("result", Words<AttemptResult>(OutcomeVocabulary.Label)));

    public static MetricDefinition Divergences { get; } = Counter("proxygateway.divergences", "Replays whose text differed from what was delivered.", Route, Cluster);

    public static MetricDefinition WastedTokens { get; } = Counter("proxygateway.wasted.tokens", "Tokens of attempts whose answer was thrown away, as far as the upstream reported them before it failed.", Route, Cluster, TokenType) with { Unit = "{token}" };

    public static MetricDefinition CircuitState { get; } = Gauge("proxygateway.circuit_breaker.state", null, "1 for the state a circuit is in, 0 for the others.", Cluster, Circuit, new MetricLabel("state", States));

    public static MetricDefinition CircuitTransitions { get; } = Counter("proxygateway.circuit_breaker.transitions", "Changes of a circuit's state.", Cluster, Circuit, new MetricLabel("from", States), new MetricLabel("to", States));

    public static MetricDefinition CircuitRejections { get; } = Counter("proxygateway.circuit_breaker.rejections", "Times a cluster was not asked because its circuit was open.", Cluster);

    public static MetricDefinition DestinationHealthy { get; } = Gauge("proxygateway.destination.healthy", null, "1 where load balancing may choose the destination, 0 where its health keeps it out.", Cluster, Destination);

    public static MetricDefinition ConcurrencyRejections { get; } = Counter("proxygateway.concurrency.rejections", "Times an exchange found no place under a concurrency limit, by cluster; an empty cluster is the limit over all.", Cluster);

    public static MetricDefinition BudgetExhausted { get; } = Counter("proxygateway.retry_budget.exhausted", "Times a cluster was not asked again because its retry budget was spent.", Cluster);

    public static MetricDefinition Hedges { get; } = Counter("proxygateway.hedges", "Second attempts made beside a late one, by whether they were the first to have content.", Route, Cluster, new MetricLabel("result", Words<HedgeResult>(OutcomeVocabulary.Label)));

    public static MetricDefinition ReplayMemory { get; } = Gauge("proxygateway.replay_memory", "By", "Request bodies and delivered text that exchanges in flight keep for a replay.");

    public static MetricDefinition ReplayMemoryLimit { get; } = Gauge("proxygateway.replay_memory.limit", "By", "MaxReplayMemoryBytes: what goes beyond is refused; 0 is no limit.");

    public static MetricDefinition ReplayMemoryRejections { get; } = Counter("proxygateway.replay_memory.rejections", "Requests refused because there was no room left under MaxReplayMemoryBytes.", Route);

    public static MetricDefinition TimeToFirstChunk { get; } = Duration("gen_ai.client.operation.time_to_first_chunk", "From the start of a streaming attempt to the first bytes of its stream.", Operation, Provider, Model, Route, Cluster);

    public static MetricDefinition TokenUsage { get; } = new(MetricKind.Histogram, "gen_ai.client.token.usage", "{token}", "Tokens of an attempt, where the upstream reports them; nothing is estimated.", Operation, Provider, Model, Route, Cluster, new MetricLabel("gen_ai.token.type", ["input", "output"])) { Buckets = TokenCounts };

    public static IReadOnlyList<MetricDefinition> All { get; } =
    [
        RequestDuration, Exchanges, StreamsActive, TimeToFirstContent, MaxGap, Overhead, StreamFailures, Fallbacks, RecoveryDuration, Attempts, Divergences,
        WastedTokens, CircuitState, CircuitTransitions, CircuitRejections, DestinationHealthy, ConcurrencyRejections, BudgetExhausted, Hedges, ReplayMemory,
        ReplayMemoryLimit, ReplayMemoryRejections, TimeToFirstChunk, TokenUsage,
    ];

    private static MetricDefinition Duration(string name, string description, params MetricLabel[] labels) =>
        new(MetricKind.Histogram, name, "s", description, labels) { Buckets = Durations };

    private static MetricDefinition Counter(string name, string description, params MetricLabel[] labels) =>
        new(MetricKind.Counter, name, null, description, labels);

    private static MetricDefinition Gauge(string name, string? unit, string description, params MetricLabel[] labels) =>
        new(MetricKind.Gauge, name, unit, description, labels);

    private static string[] Words<T>(Func<T, string> label)
        where T : struct, Enum => [.. Enum.GetValues<T>().Select(label)];

    private static string[] Reasons(params FaultSide[] sides) =>
        [.. Enum.GetValues<FaultKind>().Where(k => sides.Contains(k.Side())).Select(k => k.Label())];

    private static string[] GenAiWords(Func<ChatFormats.ChatFormat, string> word) =>
        [.. ChatFormats.ChatFormatRegistry.All.Select(word).Distinct().Order(StringComparer.Ordinal)];
}
