using Polly;

namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>
/// A circuit breaker over a <see cref="CircuitCell"/> that lives longer than the pipeline. Not Polly's own: that one
/// cannot count failures in a row, lets a probe that streams for minutes shut everybody out, and loses its state on a reload.
/// </summary>
/// <remarks>
/// Lets an execution in or refuses it, and gives the permit to its state, which owes the verdict: what is to be learnt is known before
/// the execution is over, and the pipeline need not be waited in. (A property of the context would cost it a dictionary.) So the
/// pipeline must be run by <c>ExecuteOutcomeAsync</c>, which hands its state through.
/// </remarks>
internal sealed class CircuitBreakerStrategy<TResult> : ResilienceStrategy<TResult>
{
    private readonly CircuitCell _cell;
    private readonly Func<CircuitBreakerSettings> _settings;
    private readonly Func<TimeSpan, TResult> _rejected;

    /// <param name="cell">The circuit.</param>
    /// <param name="settings">Asked once per execution, so that one pipeline can outlive a reload.</param>
    /// <param name="rejected">Makes the result of an execution that was refused, given how long to wait.</param>
    public CircuitBreakerStrategy(CircuitCell cell, Func<CircuitBreakerSettings> settings, Func<TimeSpan, TResult> rejected)
    {
        _cell = cell;
        _settings = settings;
        _rejected = rejected;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidCastException">The state is no <see cref="IPermitHolder"/>: nobody would judge.</exception>
    protected override ValueTask<Outcome<TResult>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        var holder = (IPermitHolder)(object)state!;
        if (!_cell.TryEnter(_settings(), out var permit, out var retryAfter))
        {
            return Outcome.FromResultAsValueTask(_rejected(retryAfter));
        }

        holder.Permit = permit;
        return callback(context, state);
    }
}
