using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>
/// Attaches this library's settings to YARP's routes while YARP loads them. YARP keeps a route whose configuration did not
/// change, so each route and cluster also carries a fingerprint of our settings: a change of ours is then a change to YARP.
/// </summary>
internal sealed class StreamingFallbackConfigFilter(StreamingFallbackConfigurationSource source) : IProxyConfigFilter
{
    /// <summary>Metadata key of the fingerprint.</summary>
    public const string FingerprintKey = "ProxyGateway.Fingerprint";

    /// <summary>Metadata key of a cluster's connect timeout, in milliseconds.</summary>
    public const string ConnectTimeoutKey = "ProxyGateway.ConnectTimeout";

    /// <summary>Metadata key that is there where a cluster may be told the trace.</summary>
    public const string TraceContextKey = "ProxyGateway.TraceContext";

    private static readonly TimeSpan YarpActivityTimeout = TimeSpan.FromSeconds(100);

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel)
    {
        var options = source.CreateReader().ReadClusterOptions(cluster.ClusterId);
        var timeouts = options.Timeouts;

        // Our own clocks must fire first: YARP's can only abort.
        var longest = new[] { YarpActivityTimeout, timeouts.ResponseHeaders, timeouts.FirstContent, timeouts.Idle, timeouts.Answer, timeouts.Replay }.Max();
        var request = cluster.HttpRequest ?? ForwarderRequestConfig.Empty;
        var connect = ClusterSettings.ConnectTimeoutOf(cluster.ClusterId, timeouts);
        var metadata = With(cluster.Metadata, ConnectTimeoutKey, ((long)connect.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture));
        return new(cluster with
        {
            HttpRequest = request.ActivityTimeout is null ? request with { ActivityTimeout = longest + TimeSpan.FromSeconds(30) } : request,
            Metadata = options.ForwardTraceContext ? With(metadata, TraceContextKey, "true") : metadata,
        });
    }

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        var reader = source.CreateReader();
        var settings = reader.ReadRoute(route.RouteId, route.ClusterId);
        var agent = reader.ReadAgentRoute(route.RouteId, route.ClusterId);
        var modelList = reader.ReadModelList(route.RouteId);
        if (settings is null && agent is null && modelList is null)
        {
            return new(route);
        }

        var fingerprinted = route with { Metadata = With(route.Metadata, FingerprintKey, source.Fingerprint()) };
        settings?.AttachTo(fingerprinted);
        agent?.AttachTo(fingerprinted);
        modelList?.AttachTo(fingerprinted);
        return new(fingerprinted);
    }

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string>? metadata, string key, string value) =>
        new(metadata ?? new Dictionary<string, string>(), StringComparer.OrdinalIgnoreCase) { [key] = value };
}
