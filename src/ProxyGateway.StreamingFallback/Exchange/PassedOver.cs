using ProxyGateway.StreamingFallback.Configuration;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>The clusters of a plan that were not asked because their circuits are open or no destination is there.</summary>
internal sealed class PassedOver
{
    private int _count;
    private (PlannedCluster Cluster, ClusterState State, TimeSpan Wait)? _leastBad;

    /// <summary>How long the soonest circuit stays open; null where none refused.</summary>
    public TimeSpan? ShortestWait { get; private set; }

    public void WithoutDestination() => _count++;

    /// <param name="cluster">The cluster.</param>
    /// <param name="state">Its destinations.</param>
    /// <param name="wait">How long its circuit stays open.</param>
    /// <param name="isIsolated">Whether it was opened by hand: then nobody may go in whatever happens.</param>
    public void Refused(PlannedCluster cluster, ClusterState state, TimeSpan wait, bool isIsolated)
    {
        _count++;
        ShortestWait = ShortestWait is { } shortest && shortest < wait ? shortest : wait;
        if (!isIsolated && (_leastBad is not { } best || wait < best.Wait))
        {
            _leastBad = (cluster, state, wait);
        }
    }

    /// <summary>The cluster to ask all the same: the one whose circuit closes soonest, if the plan's first cluster wants that and nobody of the plan was asked.</summary>
    public (PlannedCluster Cluster, ClusterState State)? LeastBad(IReadOnlyList<PlannedCluster> plan) =>
        _count == plan.Count && plan[0].Settings.CircuitBreaker.OnAllOpen == AllOpenAction.TryLeastBad && _leastBad is { } best
            ? (best.Cluster, best.State)
            : null;
}
