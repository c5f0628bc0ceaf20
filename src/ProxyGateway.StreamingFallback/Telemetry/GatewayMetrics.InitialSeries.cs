using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>
/// The counters' series at 0, before anything happened: a rate over a series that begins at 1 misses what it was made for.
/// Histograms have no such beginning; <c>proxygateway.exchanges</c> counts what theirs would.
/// </summary>
internal sealed partial class GatewayMetrics
{
    /// <summary>So many series a metric gets in advance; a configuration of more pairs of route and cluster sees the rest when they happen. OpenTelemetry keeps 2000 per metric.</summary>
    private const int MaxInitialSeries = 1000;

    private static readonly ExchangeOutcome[] OutcomesOfFaults = [ExchangeOutcome.Recovered, ExchangeOutcome.Terminated, ExchangeOutcome.Failed];

    private static readonly (CircuitStatus From, CircuitStatus To)[] Transitions =
    [
        (CircuitStatus.Closed, CircuitStatus.Open), (CircuitStatus.Open, CircuitStatus.HalfOpen), (CircuitStatus.HalfOpen, CircuitStatus.Open),
        (CircuitStatus.HalfOpen, CircuitStatus.Closed), (CircuitStatus.Closed, CircuitStatus.Isolated), (CircuitStatus.Isolated, CircuitStatus.Closed),
    ];

    private readonly ConcurrentDictionary<(Instrument, string, string), bool> _begun = new();
    private readonly ConcurrentDictionary<Instrument, int> _initial = new();

    /// <summary>A guarded route is there.</summary>
    public void RouteAppeared(string route)
    {
        Begin(_active, route, "", 1, static (m, route, _) => m._active.Add(0, new KeyValuePair<string, object?>(RouteLabel, route)));
        Begin(_memoryRejections, route, "", 1, static (m, route, _) => m._memoryRejections.Add(0, new KeyValuePair<string, object?>(RouteLabel, route)));
        var outcomes = Enum.GetValues<ExchangeOutcome>();
        Begin(_exchanges, route, "", outcomes.Length, (m, route, _) => Array.ForEach(outcomes, o => m._exchanges.Add(0, new TagList { { RouteLabel, route }, { "outcome", o.Label() } })));
    }

    /// <summary>A guarded route may ask a cluster.</summary>
    public void PairAppeared(string route, string cluster)
    {
        (FaultKind Kind, FaultPhase Phase)[] faults = [.. Enum.GetValues<FaultKind>().SelectMany(k => k.Phases().Select(p => (k, p)))];
        Begin(_failures, route, cluster, faults.Length, (m, route, cluster) => Array.ForEach(faults, f => m._failures.Add(
            0, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "phase", f.Phase.Label() }, { "reason", f.Kind.Label() } })));

        (FaultKind Kind, ExchangeOutcome Outcome)[] fallbacks = [.. faults.Select(f => f.Kind).Distinct().SelectMany(k => OutcomesOfFaults.Select(o => (k, o)))];
        Begin(_fallbacks, route, cluster, fallbacks.Length, (m, route, cluster) => Array.ForEach(fallbacks, f => m._fallbacks.Add(
            0, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "reason", f.Kind.Label() }, { "outcome", f.Outcome.Label() } })));

        (AttemptMode Mode, AttemptResult Result)[] attempts = [.. Enum.GetValues<AttemptMode>().SelectMany(m => Enum.GetValues<AttemptResult>().Select(r => (m, r)))];
        Begin(_attempts, route, cluster, attempts.Length, (m, route, cluster) => Array.ForEach(attempts, a => m._attempts.Add(
            0, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "mode", Label(a.Mode) }, { "result", a.Result.Label() } })));

        Begin(_divergences, route, cluster, 1, static (m, route, cluster) => m._divergences.Add(0, new TagList { { RouteLabel, route }, { ClusterLabel, cluster } }));
        var hedges = Enum.GetValues<HedgeResult>();
        Begin(_hedges, route, cluster, hedges.Length, (m, route, cluster) => Array.ForEach(hedges, h => m._hedges.Add(
            0, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "result", h.Label() } })));
        Begin(_wasted, route, cluster, 2, static (m, route, cluster) => Array.ForEach(["input", "output"], t => m._wasted.Add(
            0, new TagList { { RouteLabel, route }, { ClusterLabel, cluster }, { "token.type", t } })));
    }

    /// <summary>A cluster is there that a guarded route may ask; the empty one is the limit over all.</summary>
    public void ClusterAppeared(string cluster)
    {
        Begin(_overloads, "", cluster, 1, static (m, _, cluster) => m._overloads.Add(0, new KeyValuePair<string, object?>(ClusterLabel, cluster)));
        if (cluster.Length == 0)
        {
            return;
        }

        Begin(_rejections, "", cluster, 1, static (m, _, cluster) => m._rejections.Add(0, new KeyValuePair<string, object?>(ClusterLabel, cluster)));
        Begin(_budget, "", cluster, 1, static (m, _, cluster) => m._budget.Add(0, new KeyValuePair<string, object?>(ClusterLabel, cluster)));
        Begin(_transitions, "", cluster, 2 * Transitions.Length, static (m, _, cluster) =>
        {
            foreach (var (from, to) in Transitions)
            {
                m.CountTransition(0, cluster, CircuitKind.Cluster, from, to);
                m.CountTransition(0, cluster, CircuitKind.Streaming, from, to);
            }
        });
    }

    private void Begin(Instrument instrument, string route, string cluster, int series, Action<GatewayMetrics, string, string> begin)
    {
        if (_begun.TryAdd((instrument, route, cluster), true) && _initial.AddOrUpdate(instrument, series, (_, known) => known + series) <= MaxInitialSeries)
        {
            begin(this, route, cluster);
        }
    }
}
