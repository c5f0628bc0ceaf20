using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

public sealed class CircuitRegistryTests
{
    private readonly CircuitRegistry _registry = new(new FakeTimeProvider());

    [Fact]
    public void SameClusterInAnyCase_HasTheSameCircuits()
        => Assert.Same(_registry.Get("ccrouter"), _registry.Get("CCRouter"));

    [Fact]
    public void ManyAtOnce_GetTheSameCircuits()
    {
        var circuits = new ClusterCircuits[64];
        Parallel.For(0, circuits.Length, i => circuits[i] = _registry.Get("droid"));
        Assert.All(circuits, each => Assert.Same(circuits[0], each));
    }

    [Fact]
    public void ClusterAndStreamingCircuit_AreIndependent()
    {
        var circuits = _registry.Get("ccrouter");
        circuits.Streaming.Isolate();
        Assert.Equal((CircuitStatus.Closed, CircuitStatus.Isolated), (circuits.Cluster.Status, circuits.Streaming.Status));
        Assert.Equal((CircuitStatus.Closed, CircuitStatus.Isolated), (circuits[CircuitKind.Cluster].Status, circuits[CircuitKind.Streaming].Status));
    }

    [Fact]
    public void Retain_KeepsTheStateOfSomeAndForgetsTheOthers()
    {
        _registry.Get("kept").Cluster.Isolate();
        _registry.Get("removed").Cluster.Isolate();
        _registry.Retain(["KEPT", "unknown"]);

        Assert.Equal(["kept"], _registry.All.Keys);
        Assert.Equal(CircuitStatus.Isolated, _registry.Get("kept").Cluster.Status);
        Assert.Equal(CircuitStatus.Closed, _registry.Get("removed").Cluster.Status);
    }

    [Fact]
    public void Transitions_NameClusterAndCircuit()
    {
        var seen = new List<ClusterCircuitTransition>();
        _registry.Transitioned += seen.Add;
        _registry.Get("ccrouter").Streaming.Isolate();
        _registry.Get("droid").Cluster.Isolate();

        Assert.Equal(
            [("ccrouter", CircuitKind.Streaming, CircuitStatus.Isolated), ("droid", CircuitKind.Cluster, CircuitStatus.Isolated)],
            seen.Select(each => (each.ClusterId, each.Circuit, each.Transition.To)));
    }

    [Fact]
    public void TransitionOfAForgottenCluster_IsNotTold()
    {
        var seen = new List<ClusterCircuitTransition>();
        _registry.Transitioned += seen.Add;
        var old = _registry.Get("ccrouter");
        _registry.Retain([]);
        _registry.Get("ccrouter");
        old.Cluster.Isolate();
        Assert.Empty(seen);
    }
}
