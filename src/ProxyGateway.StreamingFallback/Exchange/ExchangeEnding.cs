using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>The endings an exchange can have. Each is reached once and nothing follows it.</summary>
internal sealed class ExchangeEnding(ChatExchange exchange)
{
    /// <summary>The attempt gave the (rest of the) answer.</summary>
    public async Task CompleteAsync(Attempt attempt, GatewayMetrics metrics)
    {
        exchange.Outcome = exchange.FirstFault is null ? ExchangeOutcome.Completed : ExchangeOutcome.Recovered;
        await DeliverAsync(attempt);
        exchange.OnRecovered();
        if (exchange.RecoveredAfter is { } after)
        {
            metrics.Recovered(exchange.Route.RouteId, after);
        }
    }

    /// <summary>What of the answer is not with the client yet.</summary>
    private async ValueTask DeliverAsync(Attempt attempt)
    {
        if (attempt.PassedThrough)
        {
            return;
        }

        if (!exchange.Request.Streaming || (attempt.Reader is null && exchange.AnswersAsJson(attempt.Mode)))
        {
            await exchange.Client.SendAsync(attempt.Features.StatusCode, attempt.Features.Headers, attempt.Kept.Memory);
            exchange.OnAnswered(attempt, attempt.ConcludedAt);
        }
        else if (attempt.Rest.Length > 0)
        {
            await attempt.DeliverRestAsync();
            if (attempt.Reader is null)
            {
                exchange.OnReplayedContent();
                exchange.OnAnswered(attempt, attempt.ConcludedAt);
            }
        }
    }

    /// <summary>
    /// An answer that went through untouched is over. If it was an error answer, that is all; if it broke off, no event can be
    /// added to it, so its end must be missed.
    /// </summary>
    public Task BreakOffAsync(AttemptOutcome outcome)
    {
        exchange.Outcome = outcome.Result == AttemptResult.Answer ? ExchangeOutcome.Relayed
            : outcome.Fault.Kind == FaultKind.ClientGone ? ExchangeOutcome.ClientGone
            : ExchangeOutcome.Terminated;
        return exchange.Outcome == ExchangeOutcome.Terminated ? exchange.Client.TerminateAsync(null) : Task.CompletedTask;
    }

    /// <summary>Keeps an upstream's error answer, in case it is what the client gets in the end.</summary>
    public void KeepFirstAnswer(Attempt attempt)
    {
        var body = new PooledBuffer();
        body.Append(attempt.Kept.Span);
        attempt.Cluster.Credential?.Mask(body.WrittenSpan);
        exchange.FirstAnswer = new UpstreamAnswer(attempt.Features.StatusCode, attempt.Features.Headers, body);
    }

    /// <summary>The upstream's own error answer, unchanged.</summary>
    public async Task RelayAsync()
    {
        // A heartbeat may commit at any moment; with the turn, what is decided on holds.
        await exchange.Client.TakeTurnAsync();
        exchange.Outcome = ExchangeOutcome.Relayed;
        if (exchange.Client.Committed)
        {
            await TerminateAsync();
        }
        else if (exchange.FirstAnswer is not { } answer)
        {
            await FailAsync(null);
        }
        else
        {
            await exchange.Client.SendAsync(answer.Status, answer.Headers, answer.Body.Memory, DoNotMultiply);
        }
    }

    /// <summary>Nothing more is to be tried. <paramref name="circuitWait"/> is how long the soonest circuit stays open, where one refused.</summary>
    public async Task GiveUpAsync(TimeSpan? circuitWait)
    {
        await exchange.Client.TakeTurnAsync();
        if (exchange.Client.Aborted.IsCancellationRequested)
        {
            exchange.Outcome = ExchangeOutcome.ClientGone;
        }
        else if (exchange.Client.Committed)
        {
            await TerminateAsync();
        }
        else
        {
            await (exchange.FirstAnswer is { Status: < 500 } ? RelayAsync() : FailAsync(circuitWait));
        }
    }

    private async Task TerminateAsync()
    {
        exchange.Outcome = ExchangeOutcome.Terminated;
        using var bytes = new PooledBuffer();
        exchange.Route.Format.WriteErrorEvent(ErrorFor(FirstFault), exchange.Request, exchange.Delivered, bytes);
        await exchange.Client.TerminateAsync(bytes);
    }

    private async Task FailAsync(TimeSpan? circuitWait)
    {
        var fault = FirstFault;
        var error = ErrorFor(fault);
        exchange.Outcome = exchange.Attempts == 0 ? ExchangeOutcome.Rejected : ExchangeOutcome.Failed;
        using var body = new PooledBuffer();
        exchange.Route.Format.WriteErrorBody(error, exchange.Request, body);
        await exchange.Client.SendAsync(error.Status, upstream: null, body.Memory, headers =>
        {
            headers.ContentType = "application/json";
            if (error.Status == StatusCodes.Status503ServiceUnavailable)
            {
                headers.RetryAfter = FaultAnswer.RetryAfter(fault, circuitWait);
            }

            DoNotMultiply(headers);
        });
    }

    private Fault FirstFault => exchange.FirstFault?.Fault ?? new Fault(FaultKind.GatewayError, FaultPhase.Connect);

    private GatewayError ErrorFor(Fault fault) => FaultAnswer.For(fault, exchange.Limits);

    /// <summary>Where the gateway has tried again itself or found that too much is tried again already, a client that does so too multiplies the load on what is down.</summary>
    private void DoNotMultiply(IHeaderDictionary headers)
    {
        if (exchange.Attempts > 1 || exchange.BudgetExhausted)
        {
            headers["x-should-retry"] = "false";
        }
    }
}
