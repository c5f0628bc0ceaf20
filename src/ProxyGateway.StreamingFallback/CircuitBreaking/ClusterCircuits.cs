namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>Which of a cluster's circuits.</summary>
internal enum CircuitKind
{
    /// <summary>An exchange that got no usable answer from the cluster counts once, however many attempts it made.</summary>
    Cluster,

    /// <summary>A stream that had to be recovered counts. While only this one is open, the cluster is asked non-streaming.</summary>
    Streaming,
}

/// <summary>The two circuits of a cluster.</summary>
internal sealed class ClusterCircuits(TimeProvider time, Func<double>? random = null)
{
    /// <inheritdoc cref="CircuitKind.Cluster"/>
    public CircuitCell Cluster { get; } = new(time, random);

    /// <inheritdoc cref="CircuitKind.Streaming"/>
    public CircuitCell Streaming { get; } = new(time, random);

    public CircuitCell this[CircuitKind kind] => kind == CircuitKind.Cluster ? Cluster : Streaming;
}
