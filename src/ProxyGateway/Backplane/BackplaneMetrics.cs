using System.Diagnostics;
using System.Diagnostics.Metrics;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Backplane;

/// <summary>Whether replicas hear of each other. No series where no backplane is configured.</summary>
internal sealed class BackplaneMetrics : IDisposable
{
    private static readonly StoreOutcome[] Failures = [.. Enum.GetValues<StoreOutcome>().Where(o => o != StoreOutcome.Good)];
    private static readonly string[] Directions = ["published", "received"];

    public static MetricDefinition Up { get; } = new(MetricKind.Gauge, "proxygateway.backplane.up", null, "1 where the last round with the backplane went well, 0 where it did not: this replica then goes by what it sees itself.");

    public static MetricDefinition FailedRounds { get; } = new(MetricKind.Counter, "proxygateway.backplane.failures", null, "Rounds with the backplane that something was wrong with, by what.", new MetricLabel("reason", [.. Failures.Select(Label)]));

    public static MetricDefinition Hints { get; } = new(
        MetricKind.Counter, "proxygateway.backplane.hints", null, "Circuits that opened here and were told to the others, and those of others that made this replica probe first.",
        new MetricLabel("proxy.cluster.id"), new MetricLabel("circuit", [.. Enum.GetValues<CircuitKind>().Select(GatewayMetrics.Label)]), new MetricLabel("direction", Directions));

    public static IReadOnlyList<MetricDefinition> All { get; } = [Up, FailedRounds, Hints];

    private readonly Meter _meter;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _hints;
    private readonly HashSet<string> _begun = new(StringComparer.OrdinalIgnoreCase);
    private volatile int _up = -1;

    public BackplaneMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(GatewayMetrics.MeterName);
        _meter.CreateObservableGauge(Up.Name, Read, Up.Unit, Up.Description);
        _failures = _meter.CreateCounter<long>(FailedRounds.Name, FailedRounds.Unit, FailedRounds.Description);
        _hints = _meter.CreateCounter<long>(Hints.Name, Hints.Unit, Hints.Description);
    }

    /// <summary>There is a backplane, of which nothing is known yet.</summary>
    public void Begin()
    {
        _up = 0;
        foreach (var reason in Failures)
        {
            _failures.Add(0, new KeyValuePair<string, object?>("reason", Label(reason)));
        }
    }

    /// <summary>There is none any more.</summary>
    public void End() => _up = -1;

    public void Done(bool isUp) => _up = isUp ? 1 : 0;

    public void Failed(StoreOutcome reason) => _failures.Add(1, new KeyValuePair<string, object?>("reason", Label(reason)));

    /// <summary>A cluster that hints may be about. Called by the one loop only.</summary>
    public void ClusterAppeared(string cluster)
    {
        if (_begun.Add(cluster))
        {
            foreach (var circuit in Enum.GetValues<CircuitKind>())
            {
                Array.ForEach(Directions, d => Count(0, cluster, circuit, d));
            }
        }
    }

    public void Published(string cluster, CircuitKind circuit) => Count(1, cluster, circuit, Directions[0]);

    public void Received(string cluster, CircuitKind circuit) => Count(1, cluster, circuit, Directions[1]);

    public void Dispose() => _meter.Dispose();

    public static string Label(StoreOutcome outcome) => outcome switch
    {
        StoreOutcome.Good => "good",
        StoreOutcome.Unreachable => "unreachable",
        StoreOutcome.TimedOut => "timeout",
        StoreOutcome.Refused => "refused",
        StoreOutcome.Invalid => "invalid",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };

    private IEnumerable<Measurement<long>> Read() => _up is var up and >= 0 ? [new Measurement<long>(up)] : [];

    private void Count(long count, string cluster, CircuitKind circuit, string direction) =>
        _hints.Add(count, new TagList { { "proxy.cluster.id", cluster }, { "circuit", GatewayMetrics.Label(circuit) }, { "direction", direction } });
}
