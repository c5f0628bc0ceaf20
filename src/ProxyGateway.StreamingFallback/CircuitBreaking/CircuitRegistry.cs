using System.Collections.Concurrent;

namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>A circuit of a cluster changed its state.</summary>
internal readonly record struct ClusterCircuitTransition(string ClusterId, CircuitKind Circuit, CircuitTransition Transition);

/// <summary>All circuits, by cluster id (in any case, like YARP's). Lives as long as the process.</summary>
internal sealed class CircuitRegistry(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ClusterCircuits> _circuits = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();

    /// <inheritdoc cref="CircuitCell.Transitioned"/>
    /// <remarks>Silent about clusters that are forgotten, even if a stream of theirs still goes on.</remarks>
    public event Action<ClusterCircuitTransition>? Transitioned;

    /// <summary>A live view.</summary>
    public IReadOnlyDictionary<string, ClusterCircuits> All => _circuits;

    /// <summary>The circuits of a cluster; new and closed ones where it has none yet.</summary>
    public ClusterCircuits Get(string clusterId)
    {
        if (_circuits.TryGetValue(clusterId, out var known))
        {
            return known;
        }

        lock (_gate)
        {
            return _circuits.GetOrAdd(clusterId, Create);
        }
    }

    /// <summary>Forgets all clusters but these.</summary>
    public void Retain(IReadOnlyCollection<string> clusterIds)
    {
        var kept = new HashSet<string>(clusterIds, StringComparer.OrdinalIgnoreCase);
        lock (_gate)
        {
            foreach (var clusterId in _circuits.Keys)
            {
                if (!kept.Contains(clusterId))
                {
                    _circuits.TryRemove(clusterId, out _);
                }
            }
        }
    }

    private ClusterCircuits Create(string clusterId)
    {
        var circuits = new ClusterCircuits(time);
        circuits.Cluster.Transitioned += transition => Raise(CircuitKind.Cluster, transition);
        circuits.Streaming.Transitioned += transition => Raise(CircuitKind.Streaming, transition);
        return circuits;

        void Raise(CircuitKind kind, CircuitTransition transition)
        {
            if (_circuits.TryGetValue(clusterId, out var current) && ReferenceEquals(current, circuits))
            {
                Transitioned?.Invoke(new(clusterId, kind, transition));
            }
        }
    }
}
