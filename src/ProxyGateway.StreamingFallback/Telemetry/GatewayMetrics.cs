using System.Diagnostics;
using System.Diagnostics.Metrics;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>
/// The meter <c>ProxyGateway</c>. Labels are ids from the configuration and words from closed lists, never anything a request
/// brings. Thread-safe.
/// </summary>
internal sealed class GatewayMetrics : IDisposable
{
    /// <summary>The meter's name: what a host adds to its exporter.</summary>
    public const string MeterName = "ProxyGateway";

    /// <summary>Hold the limits operators think in (1, 2, 3, 5 s) and reach the longest answers.</summary>
    public static readonly double[] DurationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600];

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _fallbacks;
    private readonly Histogram<double> _recovery;
    private readonly Counter<long> _attempts;
    private readonly UpDownCounter<long> _active;
    private readonly Histogram<double> _firstContent;
    private readonly Counter<long> _transitions;
    private readonly Counter<long> _rejections;
    private readonly Counter<long> _divergences;
    private readonly Counter<long> _overloads;
    private readonly Counter<long> _budget;

    public GatewayMetrics(IMeterFactory factory, CircuitRegistry circuits)
    {
        _meter = factory.Create(MeterName);
        _duration = Histogram("proxygateway.request.duration", "From the request's body to the end of the answer, by outcome; one per exchange.");
        _failures = _meter.CreateCounter<long>("proxygateway.stream.failures", null, "Failed attempts, by how far they had come and why.");
        _fallbacks = _meter.CreateCounter<long>("proxygateway.fallbacks", null, "Exchanges whose first attempt failed, by the first fault and by how they ended.");
        _recovery = Histogram("proxygateway.recovery.duration", "From the first fault to the first recovered byte.");
        _attempts = _meter.CreateCounter<long>("proxygateway.upstream.attempts", null, "Upstream calls, by mode and result.");
        _active = _meter.CreateUpDownCounter<long>("proxygateway.streams.active", null, "Exchanges in flight on guarded routes.");
        _firstContent = Histogram("proxygateway.time_to_first_content", "From the request's body to the first content delivered to the client.");
        _transitions = _meter.CreateCounter<long>("proxygateway.circuit_breaker.transitions", null, "Changes of a circuit's state.");
        _rejections = _meter.CreateCounter<long>("proxygateway.circuit_breaker.rejections", null, "Times a cluster was not asked because its circuit was open.");
        _divergences = _meter.CreateCounter<long>("proxygateway.divergences", null, "Replays whose text differed from what was delivered.");
        _overloads = _meter.CreateCounter<long>("proxygateway.concurrency.rejections", null, "Times an exchange found no place under a concurrency limit, by cluster; an empty cluster is the limit over all.");
        _budget = _meter.CreateCounter<long>("proxygateway.retry_budget.exhausted", null, "Times a cluster was not asked again because its retry budget was spent.");
        _meter.CreateObservableGauge("proxygateway.circuit_breaker.state", () => ReadStates(circuits), null, "1 for the state a circuit is in, 0 for the others.");
        circuits.Transitioned += OnTransition;
    }

    public void Started(string route) => _active.Add(1, new KeyValuePair<string, object?>("proxy.route.id", route));

    public void Ended(ClientExchange exchange)
    {
        var route = exchange.RouteId;
        _duration.Record(exchange.Time.GetElapsedTime(exchange.StartedAt).TotalSeconds, new TagList
        {
            { "proxy.route.id", route }, { "proxy.cluster.id", exchange.ClusterId }, { "outcome", exchange.Outcome.Label() },
        });
        if (exchange.TimeToFirstContent is { } first)
        {
            _firstContent.Record(first.TotalSeconds, new TagList { { "proxy.route.id", route }, { "proxy.cluster.id", exchange.ClusterId } });
        }

        if (exchange.FirstFault is { } fault)
        {
            _fallbacks.Add(1, new TagList
            {
                { "proxy.route.id", route }, { "proxy.cluster.id", exchange.FirstFaultCluster }, { "reason", fault.Kind.Label() }, { "outcome", exchange.Outcome.Label() },
            });
        }

        // Last: whoever sees no exchange in flight finds all of them counted.
        _active.Add(-1, new KeyValuePair<string, object?>("proxy.route.id", route));
    }

    /// <summary>An exchange that was refused before it became one.</summary>
    public void Refused(string route, TimeSpan elapsed)
    {
        _duration.Record(elapsed.TotalSeconds, new TagList
        {
            { "proxy.route.id", route }, { "proxy.cluster.id", "" }, { "outcome", ExchangeOutcome.Rejected.Label() },
        });
    }

    public void Attempted(string route, string cluster, AttemptMode mode, AttemptResult result, Fault fault)
    {
        _attempts.Add(1, new TagList
        {
            { "proxy.route.id", route }, { "proxy.cluster.id", cluster },
            { "mode", mode == AttemptMode.Streaming ? "streaming" : "non_streaming" }, { "result", result.Label() },
        });
        if (result == AttemptResult.Failed)
        {
            _failures.Add(1, new TagList
            {
                { "proxy.route.id", route }, { "proxy.cluster.id", cluster }, { "phase", fault.Phase.Label() }, { "reason", fault.Kind.Label() },
            });
        }

        if (fault.Kind == FaultKind.Divergence)
        {
            _divergences.Add(1, new TagList { { "proxy.route.id", route }, { "proxy.cluster.id", cluster } });
        }
    }

    public void Recovered(string route, TimeSpan sinceFault) =>
        _recovery.Record(sinceFault.TotalSeconds, new KeyValuePair<string, object?>("proxy.route.id", route));

    public void CircuitRefused(string cluster) => _rejections.Add(1, new KeyValuePair<string, object?>("proxy.cluster.id", cluster));

    public void Overloaded(string cluster) => _overloads.Add(1, new KeyValuePair<string, object?>("proxy.cluster.id", cluster));

    public void BudgetExhausted(string cluster) => _budget.Add(1, new KeyValuePair<string, object?>("proxy.cluster.id", cluster));

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> ReadStates(CircuitRegistry circuits)
    {
        foreach (var (clusterId, pair) in circuits.All)
        {
            foreach (var kind in new[] { CircuitKind.Cluster, CircuitKind.Streaming })
            {
                var status = (kind == CircuitKind.Cluster ? pair.Cluster : pair.Streaming).Status;
                foreach (var state in Enum.GetValues<CircuitStatus>())
                {
                    yield return new Measurement<long>(
                        state == status ? 1 : 0,
                        new("proxy.cluster.id", clusterId),
                        new("circuit", Label(kind)),
                        new("state", Label(state)));
                }
            }
        }
    }

    public static string Label(CircuitStatus status) => status switch
    {
        CircuitStatus.Closed => "closed",
        CircuitStatus.Open => "open",
        CircuitStatus.HalfOpen => "half_open",
        CircuitStatus.Isolated => "isolated",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    public static string Label(CircuitKind kind) => kind == CircuitKind.Cluster ? "cluster" : "streaming";

    private void OnTransition(ClusterCircuitTransition t) => _transitions.Add(1, new TagList
    {
        { "proxy.cluster.id", t.ClusterId }, { "circuit", Label(t.Circuit) }, { "from", Label(t.Transition.From) }, { "to", Label(t.Transition.To) },
    });

    private Histogram<double> Histogram(string name, string description) => _meter.CreateHistogram(
        name, "s", description, tags: null, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBuckets });
}
