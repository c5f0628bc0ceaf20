using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>What every exchange needs of the application.</summary>
internal sealed class ExchangeServices(ClusterVisits visits, IProxyStateLookup clusters, GatewayMetrics metrics, LiveExchanges live, TimeProvider time, DrainSignal drain)
{
    public ClusterVisits Visits => visits;

    public IProxyStateLookup Clusters => clusters;

    public GatewayMetrics Metrics => metrics;

    public LiveExchanges Live => live;

    public ReplayMemory Memory { get; } = new(live, time);

    public TimeProvider Time => time;

    public DrainSignal Drain => drain;
}
