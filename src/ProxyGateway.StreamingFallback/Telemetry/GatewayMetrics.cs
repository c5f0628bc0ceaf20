using System.Diagnostics;
using System.Diagnostics.Metrics;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>
/// The meter <c>ProxyGateway</c>. Labels are ids from the configuration and words from closed lists, never anything a request
/// brings. Thread-safe. What each metric means stands in <see cref="MetricCatalogue"/>.
/// </summary>
internal sealed partial class GatewayMetrics : IDisposable
{
    /// <summary>The meter's name: what a host adds to its exporter.</summary>
    public const string MeterName = "ProxyGateway";

    private const string RouteLabel = "proxy.route.id";
    private const string ClusterLabel = "proxy.cluster.id";

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _exchanges;
    private readonly UpDownCounter<long> _active;
    private readonly Histogram<double> _firstContent;
    private readonly Histogram<double> _maxGap;
    private readonly Histogram<double> _overhead;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _fallbacks;
    private readonly Histogram<double> _recovery;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _divergences;
    private readonly Counter<long> _wasted;
    private readonly Counter<long> _transitions;
    private readonly Counter<long> _rejections;
    private readonly Counter<long> _overloads;
    private readonly Counter<long> _budget;
    private readonly Counter<long> _hedges;
    private readonly Counter<long> _memoryRejections;
    private readonly Histogram<double> _firstChunk;
    private readonly Histogram<long> _tokens;

    public GatewayMetrics(IMeterFactory factory, CircuitRegistry circuits)
    {
        _meter = factory.Create(MeterName);
        _duration = Histogram(MetricCatalogue.RequestDuration);
        _exchanges = Counter(MetricCatalogue.Exchanges);
        _active = _meter.CreateUpDownCounter<long>(MetricCatalogue.StreamsActive.Name, MetricCatalogue.StreamsActive.Unit, MetricCatalogue.StreamsActive.Description);
        _firstContent = Histogram(MetricCatalogue.TimeToFirstContent);
        _maxGap = Histogram(MetricCatalogue.MaxGap);
        _overhead = Histogram(MetricCatalogue.Overhead);
        _failures = Counter(MetricCatalogue.StreamFailures);
        _fallbacks = Counter(MetricCatalogue.Fallbacks);
        _recovery = Histogram(MetricCatalogue.RecoveryDuration);
        _attempts = Counter(MetricCatalogue.Attempts);
        _divergences = Counter(MetricCatalogue.Divergences);
        _wasted = Counter(MetricCatalogue.WastedTokens);
        _transitions = Counter(MetricCatalogue.CircuitTransitions);
        _rejections = Counter(MetricCatalogue.CircuitRejections);
        _overloads = Counter(MetricCatalogue.ConcurrencyRejections);
        _budget = Counter(MetricCatalogue.BudgetExhausted);
        _hedges = Counter(MetricCatalogue.Hedges);
        _memoryRejections = Counter(MetricCatalogue.ReplayMemoryRejections);
        _firstChunk = Histogram(MetricCatalogue.TimeToFirstChunk);
        _tokens = _meter.CreateHistogram(
            MetricCatalogue.TokenUsage.Name,
            MetricCatalogue.TokenUsage.Unit,
            MetricCatalogue.TokenUsage.Description,
            tags: null,
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [.. MetricCatalogue.TokenUsage.Buckets!.Select(b => (long)b)] });
        circuits.Transitioned += OnTransition;
    }

    public void Started(string route) => _active.Add(1, new KeyValuePair<string, object?>(RouteLabel, route));

    public void Ended(ClientExchange exchange)
    {
        var route = exchange.RouteId;
        var outcome = exchange.Outcome.Label();
        var here = new TagList { { RouteLabel, route }, { ClusterLabel, exchange.ClusterId } };
        _duration.Record(exchange.Time.GetElapsedTime(exchange.StartedAt).TotalSeconds, new TagList { { RouteLabel, route }, { ClusterLabel, exchange.ClusterId }, { "outcome", outcome } });
        _exchanges.Add(1, new TagList { { RouteLabel, route }, { "outcome", outcome } });
        if (exchange.TimeToFirstContent is { } first)
        {
            _firstContent.Record(first.TotalSeconds, here);
        }

        if (exchange.MaxGap is { } gap)
        {
            _maxGap.Record(gap.TotalSeconds, here);
        }

        if (exchange.Overhead is { } overhead)
        {
            _overhead.Record(overhead.TotalSeconds, new KeyValuePair<string, object?>(RouteLabel, route));
        }

        if (exchange.FirstFault is var (fault, cluster, _))
        {
            _fallbacks.Add(1, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "reason", fault.Kind.Label() }, { "outcome", outcome } });
        }

        // Last: whoever sees no exchange in flight finds all of them counted.
        _active.Add(-1, new KeyValuePair<string, object?>(RouteLabel, route));
    }

    /// <summary>An exchange that was refused before it became one. It counts as begun all the same: outcomes are as many as beginnings.</summary>
    public void Refused(string route, TimeSpan elapsed)
    {
        Started(route);
        var outcome = ExchangeOutcome.Rejected.Label();
        _duration.Record(elapsed.TotalSeconds, new TagList { { RouteLabel, route }, { ClusterLabel, "" }, { "outcome", outcome } });
        _exchanges.Add(1, new TagList { { RouteLabel, route }, { "outcome", outcome } });
        _active.Add(-1, new KeyValuePair<string, object?>(RouteLabel, route));
    }

    public void Attempted(string route, string cluster, AttemptMode mode, AttemptResult result, Fault fault)
    {
        _attempts.Add(1, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "mode", Label(mode) }, { "result", result.Label() } });
        if (result == AttemptResult.Failed)
        {
            _failures.Add(1, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "phase", fault.Phase.Label() }, { "reason", fault.Kind.Label() } });
        }

        if (fault.Kind == FaultKind.Divergence)
        {
            _divergences.Add(1, new TagList { { RouteLabel, route }, { ClusterLabel, cluster } });
        }
    }

    /// <summary>What an attempt says in the words of OpenTelemetry's conventions for generative AI.</summary>
    /// <param name="labels">Operation, provider, model where it is configured, route and cluster.</param>
    /// <param name="toFirstChunk">Null for an attempt that came to no stream.</param>
    /// <param name="usage">What the upstream reported.</param>
    /// <param name="thrownAway">Whether nobody got the answer as a whole.</param>
    /// <param name="route">The route's id.</param>
    /// <param name="cluster">The cluster's id.</param>
    public void Generated(in TagList labels, TimeSpan? toFirstChunk, TokenUsage usage, bool thrownAway, string route, string cluster)
    {
        if (toFirstChunk is { } first)
        {
            _firstChunk.Record(first.TotalSeconds, labels);
        }

        Count("input", usage.Input, labels);
        Count("output", usage.Output, labels);

        void Count(string type, long? tokens, TagList with)
        {
            if (tokens is not { } count)
            {
                return;
            }

            with.Add("gen_ai.token.type", type);
            _tokens.Record(count, with);
            if (thrownAway)
            {
                _wasted.Add(count, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "token.type", type } });
            }
        }
    }

    public void Recovered(string route, TimeSpan sinceFault) =>
        _recovery.Record(sinceFault.TotalSeconds, new KeyValuePair<string, object?>(RouteLabel, route));

    public void CircuitRefused(string cluster) => _rejections.Add(1, new KeyValuePair<string, object?>(ClusterLabel, cluster));

    public void Overloaded(string cluster) => _overloads.Add(1, new KeyValuePair<string, object?>(ClusterLabel, cluster));

    public void BudgetExhausted(string cluster) => _budget.Add(1, new KeyValuePair<string, object?>(ClusterLabel, cluster));

    public void OutOfReplayMemory(string route) => _memoryRejections.Add(1, new KeyValuePair<string, object?>(RouteLabel, route));

    public void Hedged(string route, string cluster, HedgeResult result) => _hedges.Add(1, new TagList
    {
        { RouteLabel, route }, { ClusterLabel, cluster }, { "result", result.Label() },
    });

    public void Dispose() => _meter.Dispose();

    public static string Label(AttemptMode mode) => mode == AttemptMode.Streaming ? "streaming" : "non_streaming";

    public static string Label(CircuitStatus status) => status switch
    {
        CircuitStatus.Closed => "closed",
        CircuitStatus.Open => "open",
        CircuitStatus.HalfOpen => "half_open",
        CircuitStatus.Isolated => "isolated",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    public static string Label(CircuitKind kind) => kind == CircuitKind.Cluster ? "cluster" : "streaming";

    private void OnTransition(ClusterCircuitTransition t) => CountTransition(1, t.ClusterId, t.Circuit, t.Transition.From, t.Transition.To);

    private void CountTransition(long count, string cluster, CircuitKind circuit, CircuitStatus from, CircuitStatus to) =>
        _transitions.Add(count, new TagList { { ClusterLabel, cluster }, { "circuit", Label(circuit) }, { "from", Label(from) }, { "to", Label(to) } });

    private Counter<long> Counter(MetricDefinition d) => _meter.CreateCounter<long>(d.Name, d.Unit, d.Description);

    private Histogram<double> Histogram(MetricDefinition d) => _meter.CreateHistogram(
        d.Name, d.Unit, d.Description, tags: null, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = d.Buckets! });
}
