using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>What an exchange on a route of format <c>agentapi</c> needs to know. Hangs on YARP's own route, as <see cref="RouteSettings"/> does.</summary>
/// <param name="RouteId">The route.</param>
/// <param name="Cluster">Where the agent is.</param>
/// <param name="Limits">The gateway's limits.</param>
/// <param name="Reconnects">Whether an event stream that breaks off is taken up again.</param>
internal sealed record AgentRouteSettings(string RouteId, ClusterSettings Cluster, LimitSettings Limits, bool Reconnects)
{
    private static readonly ConditionalWeakTable<RouteConfig, AgentRouteSettings> Attached = [];

    /// <summary>The settings of a route; null where it has another format or none.</summary>
    public static AgentRouteSettings? Of(RouteConfig route) => Attached.TryGetValue(route, out var settings) ? settings : null;

    public void AttachTo(RouteConfig route) => Attached.AddOrUpdate(route, this);
}
