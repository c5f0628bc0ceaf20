using Polly;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Limits;
using System.Runtime.CompilerServices;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>How a visit to a cluster (all attempts an exchange makes there) ended for the exchange.</summary>
internal enum VisitEnd
{
    /// <summary>The exchange has its ending.</summary>
    Answered,

    /// <summary>The next cluster is to be asked.</summary>
    GoOn,

    /// <summary>Nothing more is to be tried.</summary>
    GiveUp,

    /// <summary>The cluster's circuit is open.</summary>
    Refused,

    /// <summary>The cluster has as many exchanges in flight as it may have.</summary>
    Full,
}

/// <param name="End">How it ended for the exchange.</param>
/// <param name="Verdict">What it says about the cluster; an exchange counts once, however many attempts it made.</param>
/// <param name="NextMode">How the next cluster is to be asked.</param>
/// <param name="RetryAfter">How long the circuit stays open, where it refused.</param>
/// <remarks>An object, so that the layers an open stream waits in need not each have room for it.</remarks>
internal sealed record VisitResult(VisitEnd End, CircuitVerdict Verdict, AttemptMode NextMode = default, TimeSpan RetryAfter = default);

/// <summary>One exchange at one cluster, on its way through the cluster's circuit.</summary>
internal abstract class ClusterVisit : IPermitHolder
{
    /// <inheritdoc/>
    public CircuitPermit Permit { get; set; } = CircuitPermit.Uncounted;

    public abstract ValueTask<Outcome<VisitResult>> RunAsync();
}

/// <summary>What is around a visit: a pipeline per cluster and configuration, over circuits and limits that outlive both.</summary>
internal sealed class ClusterVisits(CircuitRegistry circuits, LimitRegistry limits)
{
    private readonly ConditionalWeakTable<ClusterSettings, Surroundings> _surroundings = [];

    public LimitRegistry Limits => limits;

    // Kept with the settings: an exchange that goes on after its cluster was removed must not bring the cluster's state back.
    public ClusterCircuits CircuitsOf(ClusterSettings cluster) => _surroundings.GetValue(cluster, Build).Circuits;

    public ClusterLimits LimitsOf(ClusterSettings cluster) => _surroundings.GetValue(cluster, Build).Limits;

    /// <summary>By <c>ExecuteOutcomeAsync</c>, which adds no layer of its own to every exchange: the pipeline's one strategy lets exceptions through.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<VisitResult> RunAsync(ClusterSettings cluster, ClusterVisit visit)
    {
        var context = ResilienceContextPool.Shared.Get();
        try
        {
            var visited = await _surroundings.GetValue(cluster, Build).Pipeline.ExecuteOutcomeAsync(static (_, v) => v.RunAsync(), context, visit);
            visited.ThrowIfException();
            return visited.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private Surroundings Build(ClusterSettings cluster)
    {
        var own = circuits.Get(cluster.ClusterId);
        var pipeline = new ResiliencePipelineBuilder<VisitResult>()
            .AddCircuit(
                own.Cluster,
                () => cluster.CircuitBreaker,
                static retryAfter => new VisitResult(VisitEnd.Refused, CircuitVerdict.Neutral, RetryAfter: retryAfter),
                static result => result.Verdict)
            .Build();
        return new Surroundings(pipeline, own, limits.Get(cluster.ClusterId));
    }

    private sealed record Surroundings(ResiliencePipeline<VisitResult> Pipeline, ClusterCircuits Circuits, ClusterLimits Limits);
}
