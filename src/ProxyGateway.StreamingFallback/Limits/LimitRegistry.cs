using System.Collections.Concurrent;
using ProxyGateway.StreamingFallback.Hedging;

namespace ProxyGateway.StreamingFallback.Limits;

/// <summary>What is counted of a cluster for its limits and its hedges.</summary>
internal sealed class ClusterLimits(TimeProvider time)
{
    public RetryBudget Budget { get; } = new(time);

    public ConcurrencyGate Gate { get; } = new(time);

    /// <summary>Fed where the cluster is hedged.</summary>
    public FirstContentTimes FirstContent { get; } = new();
}

/// <summary>The limits of all clusters, by cluster id (in any case, like YARP's), and the one over all. Lives as long as the process.</summary>
internal sealed class LimitRegistry(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ClusterLimits> _clusters = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The exchanges of all guarded routes.</summary>
    public ConcurrencyGate All { get; } = new(time);

    /// <summary>The bodies of all guarded routes.</summary>
    public MemoryBudget Memory { get; } = new();

    /// <summary>What is kept of delivered text, over all guarded routes. Apart from the bodies: long streams must not keep requests out.</summary>
    public MemoryBudget Text { get; } = new();

    public ClusterLimits Get(string clusterId) => _clusters.GetOrAdd(clusterId, static (_, time) => new ClusterLimits(time), time);

    /// <summary>Forgets all clusters but these.</summary>
    public void Retain(IReadOnlyCollection<string> clusterIds)
    {
        var kept = new HashSet<string>(clusterIds, StringComparer.OrdinalIgnoreCase);
        foreach (var clusterId in _clusters.Keys)
        {
            if (!kept.Contains(clusterId))
            {
                _clusters.TryRemove(clusterId, out _);
            }
        }
    }
}
