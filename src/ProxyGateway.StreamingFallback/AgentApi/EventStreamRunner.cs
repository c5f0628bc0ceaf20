using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>
/// An endless event stream: connects, and connects again when the connection breaks off, while the client's stream stays open.
/// </summary>
/// <remarks>
/// (1) Connect; a later connection goes to the destination of the first, for that is where the conversation is.
/// (2) The first connection never came to a stream: its answer is the client's, or an HTTP error is.
/// (3) The client has left, or the gateway closes: the regular ends of a stream that has none of its own.
/// (4) What no reconnect can mend ends the stream: another conversation, an event beyond all limits.
/// (5) Else wait and go on with (1), until the agent has been away for too long.
/// The circuit counts the first connection only: further ones are the gateway's own doing, and few.
/// </remarks>
internal sealed class EventStreamRunner(AgentExchange exchange, RequestDelegate next, ExchangeServices services, ILogger logger)
    : AgentRunner(exchange, next, services)
{
    private static readonly VisitResult Ended = new(VisitEnd.Answered, CircuitVerdict.Neutral);

    private bool _isStream;
    private int _failures;
    private long _awaySince;

    protected override async ValueTask<VisitResult> VisitAsync(CircuitPermit permit, ClusterState state)
    {
        using var relay = new EventRelay(Exchange.Limits.MaxEventBytes);
        using var beat = new IdleBeat(Exchange);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Exchange.Client.Aborted, Services.Drain.CloseEndlessStreams);
        DestinationState? destination = null;
        Fault cause = default;
        while (true)
        {
            // (1)
            var isFirst = Exchange.Attempts == 0;
            using var call = isFirst
                ? new EventStreamCall(Exchange, relay, permit, leaving.Token)
                : new EventStreamCall(Exchange, relay, AwayUntil, OnRejoined, leaving.Token);
            var outcome = await CallAsync(call, state, AttemptMode.Streaming, destination, request => Prepare(request, relay));
            destination ??= Exchange.Http.Proxy().ProxiedDestination;
            _isStream |= call.HasEvents;

            // (2)
            if (isFirst && !_isStream)
            {
                return await EndFirstAsync(permit, call, outcome);
            }

            // (3)
            if (leaving.IsCancellationRequested)
            {
                return await EndRegularlyAsync(call.HasEvents);
            }

            // (4)
            Exchange.Client.YieldTurn();
            Exchange.Note(outcome.Fault, Cluster.ClusterId);
            if (relay.Fault != FaultKind.None || !Exchange.Route.Reconnects)
            {
                await FailAsync(outcome.Fault);
                return Ended;
            }

            // (5)
            if (call.HasEvents)
            {
                _awaySince = Exchange.Time.GetTimestamp();
                cause = outcome.Fault;
            }

            _failures = call.HasEvents && call.Age >= Cluster.Reconnect.MaxDelay ? 0 : _failures + 1;
            relay.Reconnect();
            if (await WaitAsync(relay, destination, leaving.Token) is not var (found, same))
            {
                if (leaving.IsCancellationRequested)
                {
                    return await EndRegularlyAsync(wasConnected: false);
                }

                await FailAsync(cause);
                return Ended;
            }

            (state, destination) = (found, same);
        }
    }

    protected override Task TerminateAsync(Fault fault) => _isStream
        ? AgentAnswer.TerminateAsync(Exchange, FaultAnswer.For(fault, Exchange.Limits))
        : base.TerminateAsync(fault);

    private long AwayUntil => _awaySince + (long)(Cluster.Reconnect.Timeout.TotalSeconds * Exchange.Time.TimestampFrequency);

    private static void Prepare(AttemptRequest request, EventRelay relay)
    {
        request.AllowSilence();
        if (relay.LastEventId is { Length: > 0 } id)
        {
            request.SetHeader("Last-Event-ID", id);
        }
    }

    private async ValueTask<VisitResult> EndFirstAsync(CircuitPermit permit, EventStreamCall call, AttemptOutcome outcome)
    {
        if (outcome.Result is not (AttemptResult.Complete or AttemptResult.Answer))
        {
            return await BreakOffAsync(permit, outcome);
        }

        var isFailure = outcome.Result == AttemptResult.Answer && Cluster.RetryStatuses.Contains(outcome.Fault.Status);
        if (isFailure)
        {
            Exchange.Note(outcome.Fault, Cluster.ClusterId);
        }

        return await FinishAsync(permit, call, outcome, isFailure ? CircuitVerdict.Failure : CircuitVerdict.Neutral);
    }

    /// <summary>The client left a stream that went well, or is asked to come to another instance: neither is anybody's failure.</summary>
    private async ValueTask<VisitResult> EndRegularlyAsync(bool wasConnected)
    {
        Exchange.Outcome = !wasConnected ? ExchangeOutcome.ClientGone
            : Exchange.FirstFault is null ? ExchangeOutcome.Completed
            : ExchangeOutcome.Recovered;
        if (!Exchange.Client.Aborted.IsCancellationRequested)
        {
            Exchange.Outcome = wasConnected ? Exchange.Outcome : ExchangeOutcome.Terminated;
            await Exchange.Client.TerminateAsync(null);
        }

        return Ended;
    }

    /// <summary>Waits for the next try; null where there is none, because the agent has been away for too long or is no more configured.</summary>
    private async Task<(ClusterState State, DestinationState Destination)?> WaitAsync(EventRelay relay, DestinationState? destination, CancellationToken leaving)
    {
        var time = Exchange.Time;
        while (true)
        {
            var left = Cluster.Reconnect.Timeout - time.GetElapsedTime(_awaySince);
            var pause = ReconnectPause.For(Cluster.Reconnect, Math.Max(_failures - 1, 0), relay.Retry, Random.Shared.NextDouble());
            if (pause >= left)
            {
                return null;
            }

            try
            {
                await Task.Delay(pause, time, leaving);
            }
            catch (OperationCanceledException)
            {
                return null;
            }

            if (FindCluster() is not { } state
                || state.DestinationsState.AllDestinations.FirstOrDefault(d => d.DestinationId == destination?.DestinationId) is not { } same)
            {
                return null;
            }

            if (Services.Visits.CircuitsOf(Cluster).Cluster.Status != CircuitStatus.Isolated)
            {
                return (state, same);
            }

            // Shut off by hand: nobody goes in, whatever happens.
            _failures++;
        }
    }

    private void OnRejoined()
    {
        var away = Exchange.Time.GetElapsedTime(_awaySince);
        Exchange.Recovery = "replay";
        Services.Metrics.Recovered(Exchange.RouteId, away);
        ExchangeLog.Rejoined(logger, Exchange.RouteId, Cluster.ClusterId, (long)away.TotalMilliseconds, _failures, Exchange.RequestId);
    }
}
