using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>
/// What is read at a scrape rather than counted (circuits, destinations, memory), and the series that a configuration brings with
/// it. A removed cluster's gauges are gone with the next scrape; its counters stand still until the process ends.
/// </summary>
internal sealed class ClusterMetrics : IConfigChangeListener, IDisposable
{
    private static readonly CircuitStatus[] States = Enum.GetValues<CircuitStatus>();

    private readonly GatewayMetrics _metrics;
    private readonly CircuitRegistry _circuits;
    private readonly IServiceProvider _services;
    private readonly Meter _meter;
    private int _newConfiguration = 1;

    /// <param name="metrics">The counters.</param>
    /// <param name="factory">Makes the meter.</param>
    /// <param name="circuits">All circuits.</param>
    /// <param name="live">The exchanges in flight.</param>
    /// <param name="services">Of the application: YARP's state is what asks for its listeners, so it cannot be asked for here.</param>
    public ClusterMetrics(GatewayMetrics metrics, IMeterFactory factory, CircuitRegistry circuits, LiveExchanges live, IServiceProvider services)
    {
        (_metrics, _circuits, _services) = (metrics, circuits, services);
        _meter = factory.Create(GatewayMetrics.MeterName);
        Gauge(MetricCatalogue.CircuitState, ReadStates);
        Gauge(MetricCatalogue.DestinationHealthy, ReadDestinations);
        Gauge(MetricCatalogue.ReplayMemory, () => [new(live.KeptBytes())]);
        Gauge(MetricCatalogue.ReplayMemoryLimit, ReadLimit);
    }

    private IProxyStateLookup Proxy => _services.GetRequiredService<IProxyStateLookup>();

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => Volatile.Write(ref _newConfiguration, 1);

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception)
    {
    }

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception)
    {
    }

    public void Dispose() => _meter.Dispose();

    private IEnumerable<RouteSettings> GuardedRoutes() => Proxy.GetRoutes().Select(r => RouteSettings.Of(r.Config)).OfType<RouteSettings>();

    /// <summary>
    /// At the scrape that follows a new configuration, not before: a counter that begins while no exporter listens has not begun. Exporters
    /// read what is observed first, so that scrape has the series already.
    /// </summary>
    private void BeginSeries()
    {
        if (Interlocked.Exchange(ref _newConfiguration, 0) == 0)
        {
            return;
        }

        _metrics.ClusterAppeared("");
        foreach (var route in GuardedRoutes())
        {
            _metrics.RouteAppeared(route.RouteId);
            foreach (var cluster in route.AllClusters())
            {
                _circuits.Get(cluster.ClusterId);
                _metrics.ClusterAppeared(cluster.ClusterId);
                _metrics.PairAppeared(route.RouteId, cluster.ClusterId);
            }
        }
    }

    private void Gauge(MetricDefinition d, Func<IEnumerable<Measurement<long>>> read) => _meter.CreateObservableGauge(d.Name, read, d.Unit, d.Description);

    private IEnumerable<Measurement<long>> ReadStates()
    {
        BeginSeries();
        foreach (var (clusterId, pair) in _circuits.All)
        {
            foreach (var (kind, status) in new[] { (CircuitKind.Cluster, pair.Cluster.Status), (CircuitKind.Streaming, pair.Streaming.Status) })
            {
                foreach (var state in States)
                {
                    yield return new Measurement<long>(
                        state == status ? 1 : 0,
                        new("proxy.cluster.id", clusterId),
                        new("circuit", GatewayMetrics.Label(kind)),
                        new("state", GatewayMetrics.Label(state)));
                }
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadDestinations()
    {
        foreach (var cluster in Proxy.GetClusters())
        {
            var destinations = cluster.DestinationsState;
            foreach (var destination in destinations.AllDestinations)
            {
                yield return new Measurement<long>(
                    destinations.AvailableDestinations.Contains(destination) ? 1 : 0,
                    new("proxy.cluster.id", cluster.ClusterId),
                    new("proxy.destination.id", destination.DestinationId));
            }
        }
    }

    private IEnumerable<Measurement<long>> ReadLimit() =>
        GuardedRoutes().Take(1).Select(r => new Measurement<long>(r.Limits.MaxReplayMemoryBytes));
}
