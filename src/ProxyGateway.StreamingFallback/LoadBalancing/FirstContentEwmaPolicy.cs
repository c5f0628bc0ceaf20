using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.LoadBalancing;

/// <summary>
/// YARP's load balancing policy <c>FirstContentEwma</c>: the destination with the smallest product of its time to first content
/// and its requests in flight. Fed by guarded streams; on other traffic it comes down to the fewest requests in flight.
/// </summary>
internal sealed class FirstContentEwmaPolicy(TimeProvider time) : ILoadBalancingPolicy
{
    public string Name => "FirstContentEwma";

    public DestinationState? PickDestination(HttpContext context, ClusterState cluster, IReadOnlyList<DestinationState> availableDestinations)
    {
        if (availableDestinations.Count <= 1)
        {
            return availableDestinations.Count == 0 ? null : availableDestinations[0];
        }

        Span<Load> loads = availableDestinations.Count <= 64 ? stackalloc Load[availableDestinations.Count] : new Load[availableDestinations.Count];
        for (var i = 0; i < loads.Length; i++)
        {
            var destination = availableDestinations[i];
            loads[i] = new Load(FirstContentLatency.Of(destination).Current(time), destination.ConcurrentRequestCount);
        }

        return availableDestinations[Pick(loads, Random.Shared.Next(loads.Length))];
    }

    /// <summary>The index of the best; among equals the first from <paramref name="start"/> on. Pure.</summary>
    public static int Pick(ReadOnlySpan<Load> loads, int start)
    {
        var slowest = 0.0;
        foreach (var load in loads)
        {
            slowest = Math.Max(slowest, load.Seconds ?? 0);
        }

        var (best, lowest) = (start, double.PositiveInfinity);
        for (var i = 0; i < loads.Length; i++)
        {
            var at = (start + i) % loads.Length;
            var cost = Cost(loads[at], slowest);
            if (cost < lowest)
            {
                (best, lowest) = (at, cost);
            }
        }

        return best;
    }

    // A destination nobody knows is tried once; while that one request is out, it counts as the slowest, lest it be flooded.
    private static double Cost(in Load load, double slowest) => load.Seconds switch
    {
        null when load.InFlight == 0 => 0,
        null => (slowest > 0 ? slowest : 1) * (load.InFlight + 1),
        // Never zero: among destinations that answer at once, requests in flight decide.
        { } seconds => Math.Max(seconds, 0.0001) * (load.InFlight + 1),
    };

    /// <param name="Seconds">Time to first content; null while unknown.</param>
    /// <param name="InFlight">Requests in flight.</param>
    internal readonly record struct Load(double? Seconds, int InFlight);
}
