using Yarp.ReverseProxy.Model;

namespace ProxyGateway.Tests.Allocations;

/// <summary>What YARP leaves on a request that has its route but no destination yet.</summary>
internal sealed class RoutedFeature(RouteModel route) : IReverseProxyFeature
{
    public RouteModel Route => route;

    public ClusterModel Cluster => route.Cluster!.Model;

    public IReadOnlyList<DestinationState> AllDestinations => [];

    public IReadOnlyList<DestinationState> AvailableDestinations { get; set; } = [];

    public DestinationState? ProxiedDestination { get; set; }
}
