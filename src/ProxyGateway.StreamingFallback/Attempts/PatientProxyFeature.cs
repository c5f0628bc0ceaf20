using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>YARP's view of a call, but for the cluster's limit on silence, which is lifted. All bookkeeping stays with the cluster itself.</summary>
internal sealed class PatientProxyFeature(IReverseProxyFeature inner) : IReverseProxyFeature
{
    private static readonly ConditionalWeakTable<ClusterModel, ClusterModel> Patient = [];

    public RouteModel Route => inner.Route;

    public ClusterModel Cluster { get; } = Patient.GetValue(inner.Cluster, static c => new ClusterModel(
        c.Config with { HttpRequest = (c.Config.HttpRequest ?? ForwarderRequestConfig.Empty) with { ActivityTimeout = Timeout.InfiniteTimeSpan } }, c.HttpClient));

    public IReadOnlyList<DestinationState> AllDestinations => inner.AllDestinations;

    public IReadOnlyList<DestinationState> AvailableDestinations
    {
        get => inner.AvailableDestinations;
        set => inner.AvailableDestinations = value;
    }

    public DestinationState? ProxiedDestination
    {
        get => inner.ProxiedDestination;
        set => inner.ProxiedDestination = value;
    }
}
