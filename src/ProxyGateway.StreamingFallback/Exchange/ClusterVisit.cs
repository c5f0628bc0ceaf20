using System.Runtime.CompilerServices;
using Polly;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Limits;

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

/// <summary>One exchange at one cluster, on its way through the cluster's limit and circuit.</summary>
internal abstract class ClusterVisit : IPermitHolder
{
    /// <summary>Goes past the circuit: where all of them are open, one may be asked all the same.</summary>
    public bool IsLastResort { get; init; }

    /// <summary>What the cluster is counted by; set when the visit begins.</summary>
    public ClusterSurroundings Around { get; set; } = null!;

    /// <inheritdoc/>
    public CircuitPermit Permit { get; set; } = CircuitPermit.Uncounted;

    public abstract ValueTask<VisitResult> RunAsync();
}

/// <summary>What is around a visit: a limit and a pipeline per cluster and configuration, over circuits and limits that outlive both.</summary>
internal sealed class ClusterVisits
{
    private static readonly VisitResult Full = new(VisitEnd.Full, CircuitVerdict.Neutral);

    // Kept with the settings: an exchange that goes on after its cluster was removed must not bring the cluster's state back.
    private readonly ConditionalWeakTable<ClusterSettings, ClusterSurroundings> _surroundings = [];
    private readonly ConditionalWeakTable<ClusterSettings, ClusterSurroundings>.CreateValueCallback _build;

    public ClusterVisits(CircuitRegistry circuits, LimitRegistry limits)
    {
        Limits = limits;
        _build = cluster => Build(cluster, circuits, limits);
    }

    public LimitRegistry Limits { get; }

    public ClusterCircuits CircuitsOf(ClusterSettings cluster) => Around(cluster).Circuits;

    public ClusterLimits LimitsOf(ClusterSettings cluster) => Around(cluster).Limits;

    /// <summary>Past the concurrency limit, then the circuit, which hears the verdict unless it was told before.</summary>
    /// <param name="cluster">The cluster that is visited.</param>
    /// <param name="visit">What is done there.</param>
    /// <param name="cancel">Ends the wait for a place.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<VisitResult> RunAsync(ClusterSettings cluster, ClusterVisit visit, CancellationToken cancel)
    {
        var around = Around(cluster);
        if (!await around.Limits.Gate.EnterAsync(cluster.Concurrency, cancel))
        {
            return Full;
        }

        visit.Around = around;
        try
        {
            if (!visit.IsLastResort && Admit(around, visit) is { } retryAfter)
            {
                return new VisitResult(VisitEnd.Refused, CircuitVerdict.Neutral, RetryAfter: retryAfter);
            }

            var result = await visit.RunAsync();
            visit.Permit.On(result.Verdict);
            return result;
        }
        catch (Exception e)
        {
            visit.Permit.On(e is OperationCanceledException ? CircuitVerdict.Neutral : CircuitVerdict.Failure);
            throw;
        }
        finally
        {
            around.Limits.Gate.Leave();
        }
    }

    /// <summary>Past the circuit; how long it stays open where it refuses. The pipeline is left again at once: its context would be 200 bytes of every open stream.</summary>
    private static TimeSpan? Admit(ClusterSurroundings around, ClusterVisit visit)
    {
        var context = ResilienceContextPool.Shared.Get();
        try
        {
            var admission = around.Admission.ExecuteOutcomeAsync(static (_, _) => Outcome.FromResultAsValueTask<TimeSpan?>(null), context, visit);
            // Complete already: its one strategy, the circuit, waits for nothing.
            var outcome = admission.GetAwaiter().GetResult();
            outcome.ThrowIfException();
            return outcome.Result;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private ClusterSurroundings Around(ClusterSettings cluster) => _surroundings.GetValue(cluster, _build);

    private static ClusterSurroundings Build(ClusterSettings cluster, CircuitRegistry circuits, LimitRegistry limits)
    {
        var own = circuits.Get(cluster.ClusterId);
        var admission = new ResiliencePipelineBuilder<TimeSpan?>().AddCircuit(own.Cluster, () => cluster.CircuitBreaker, static retryAfter => retryAfter).Build();
        return new ClusterSurroundings(admission, own, limits.Get(cluster.ClusterId));
    }
}

/// <summary>The way into a cluster under one configuration, and what the cluster is counted by whatever the configuration.</summary>
internal sealed record ClusterSurroundings(ResiliencePipeline<TimeSpan?> Admission, ClusterCircuits Circuits, ClusterLimits Limits);
