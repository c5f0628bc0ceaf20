using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.StreamingFallback.ModelList;

/// <summary>What a route that lists models says. Immutable; hangs on YARP's own route.</summary>
/// <param name="RouteId">The route.</param>
/// <param name="Clusters">Whose models are listed, in order.</param>
/// <param name="Aliases">Names of the operator's choice, listed as well.</param>
internal sealed record ModelListSettings(string RouteId, IReadOnlyList<string> Clusters, IReadOnlyList<string> Aliases)
{
    private static readonly ConditionalWeakTable<RouteConfig, ModelListSettings> Attached = [];

    public static ModelListSettings? Of(RouteConfig route) => Attached.TryGetValue(route, out var settings) ? settings : null;

    public void AttachTo(RouteConfig route) => Attached.AddOrUpdate(route, this);
}
