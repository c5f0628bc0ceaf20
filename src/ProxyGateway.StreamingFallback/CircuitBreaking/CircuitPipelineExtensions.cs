using Polly;

namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>Adds a circuit to a pipeline.</summary>
internal static class CircuitPipelineExtensions
{
    /// <inheritdoc cref="CircuitBreakerStrategy{TResult}(CircuitCell, Func{CircuitBreakerSettings}, Func{TimeSpan, TResult})"/>
    public static ResiliencePipelineBuilder<TResult> AddCircuit<TResult>(
        this ResiliencePipelineBuilder<TResult> builder,
        CircuitCell cell,
        Func<CircuitBreakerSettings> settings,
        Func<TimeSpan, TResult> rejected)
        // The overload without options: the other one validates them by reflection, which the trimmer cannot see.
        => builder.AddStrategy(_ => new CircuitBreakerStrategy<TResult>(cell, settings, rejected));
}
