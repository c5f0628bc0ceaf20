using System.Runtime.CompilerServices;
using Polly;

namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>
/// A circuit breaker over a <see cref="CircuitCell"/> that lives longer than the pipeline. Not Polly's own: that one
/// cannot count failures in a row, lets a probe that streams for minutes shut everybody out, and loses its state on a reload.
/// </summary>
/// <remarks>
/// A state that is an <see cref="IPermitHolder"/> is given the permit, to report first content or an early verdict (a property of
/// the context would cost every open stream a dictionary). For that the pipeline must be run by <c>ExecuteOutcomeAsync</c>, which
/// hands its state through. What was not judged early is judged by the result; an exception is a failure, a cancellation is neutral.
/// </remarks>
internal sealed class CircuitBreakerStrategy<TResult> : ResilienceStrategy<TResult>
{
    private readonly CircuitCell _cell;
    private readonly Func<CircuitBreakerSettings> _settings;
    private readonly Func<TimeSpan, TResult> _rejected;
    private readonly Func<TResult, CircuitVerdict> _judge;

    /// <param name="cell">The circuit.</param>
    /// <param name="settings">Asked once per execution, so that one pipeline can outlive a reload.</param>
    /// <param name="rejected">Makes the result of an execution that was refused, given how long to wait.</param>
    /// <param name="judge">What a result says about the upstream.</param>
    public CircuitBreakerStrategy(
        CircuitCell cell,
        Func<CircuitBreakerSettings> settings,
        Func<TimeSpan, TResult> rejected,
        Func<TResult, CircuitVerdict> judge)
    {
        _cell = cell;
        _settings = settings;
        _rejected = rejected;
        _judge = judge;
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state)
    {
        if (!_cell.TryEnter(_settings(), out var permit, out var retryAfter))
        {
            return Outcome.FromResult(_rejected(retryAfter));
        }

        if (state is IPermitHolder holder)
        {
            holder.Permit = permit;
        }

        try
        {
            var outcome = await callback(context, state).ConfigureAwait(context.ContinueOnCapturedContext);
            permit.On(Judge(outcome));
            return outcome;
        }
        catch (Exception exception)
        {
            permit.On(Judge(exception));
            throw;
        }
    }

    private CircuitVerdict Judge(Outcome<TResult> outcome)
        => outcome.Exception is { } exception ? Judge(exception) : _judge(outcome.Result!);

    private static CircuitVerdict Judge(Exception exception)
        => exception is OperationCanceledException ? CircuitVerdict.Neutral : CircuitVerdict.Failure;
}
