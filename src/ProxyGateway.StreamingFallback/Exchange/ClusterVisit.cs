using Polly;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
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
}

/// <param name="End">How it ended for the exchange.</param>
/// <param name="Verdict">What it says about the cluster; an exchange counts once, however many attempts it made.</param>
/// <param name="NextMode">How the next cluster is to be asked.</param>
/// <param name="RetryAfter">How long the circuit stays open, where it refused.</param>
internal readonly record struct VisitResult(VisitEnd End, CircuitVerdict Verdict, AttemptMode NextMode = default, TimeSpan RetryAfter = default);

/// <summary>The circuit breaker around a visit: a pipeline per cluster and configuration, over a cell that outlives both.</summary>
internal sealed class ClusterVisits(CircuitRegistry circuits)
{
    private readonly ConditionalWeakTable<ClusterSettings, ResiliencePipeline<VisitResult>> _pipelines = [];

    public CircuitRegistry Circuits => circuits;

    public async ValueTask<VisitResult> RunAsync<TState>(
        ClusterSettings cluster,
        Func<ResilienceContext, TState, ValueTask<VisitResult>> visit,
        TState state)
    {
        var pipeline = _pipelines.GetValue(cluster, Build);
        var context = ResilienceContextPool.Shared.Get();
        try
        {
            return await pipeline.ExecuteAsync(visit, context, state);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private ResiliencePipeline<VisitResult> Build(ClusterSettings cluster) => new ResiliencePipelineBuilder<VisitResult>()
        .AddCircuit(
            circuits.Get(cluster.ClusterId).Cluster,
            () => cluster.CircuitBreaker,
            static retryAfter => new VisitResult(VisitEnd.Refused, CircuitVerdict.Neutral, RetryAfter: retryAfter),
            static result => result.Verdict)
        .Build();
}
