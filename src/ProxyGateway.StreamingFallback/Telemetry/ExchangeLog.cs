using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>One line per exchange that did not simply succeed. Ids, words from closed lists and numbers; never a body, a query or a header's value.</summary>
internal static partial class ExchangeLog
{
    public static void Ended(ILogger logger, ClientExchange exchange)
    {
        if (exchange.FirstFault is not var (fault, cluster, _))
        {
            return;
        }

        var level = exchange.Outcome is ExchangeOutcome.Recovered or ExchangeOutcome.Relayed or ExchangeOutcome.ClientGone ? LogLevel.Information : LogLevel.Warning;
        Write(
            logger,
            level,
            exchange.Outcome.Label(),
            exchange.RouteId,
            cluster,
            fault.Kind.Label(),
            fault.Phase.Label(),
            fault.Status,
            exchange.ClusterId,
            exchange.Attempts,
            exchange.Client.BytesWritten,
            exchange.ContentEvents,
            (long)exchange.Time.GetElapsedTime(exchange.StartedAt).TotalMilliseconds,
            exchange.RequestId);
    }

    [LoggerMessage(EventId = 1, EventName = "ExchangeEnded", Message =
        "exchange {Outcome}: route {Route}, cluster {Cluster}, fault {Fault} at {Phase} (status {Status}), answered by {AnsweredBy} after {Attempts} attempts, {Bytes} bytes, {ContentEvents} content events, {DurationMs} ms, request {RequestId}")]
    private static partial void Write(ILogger logger, LogLevel level, string outcome, string route, string cluster, string fault, string phase, int status, string answeredBy, int attempts, long bytes, long contentEvents, long durationMs, string requestId);

    /// <summary>An exchange that was refused before it became one.</summary>
    public static void Refused(ILogger logger, in GatewayError error, string route, string requestId) => Refused(
        logger, error.Status < 500 ? LogLevel.Information : LogLevel.Warning, ExchangeOutcome.Rejected.Label(), route, error.Code, error.Status, requestId);

    [LoggerMessage(EventId = 5, EventName = "ExchangeRefused", Message = "exchange {Outcome}: route {Route}, {Code} (status {Status}), request {RequestId}")]
    private static partial void Refused(ILogger logger, LogLevel level, string outcome, string route, string code, int status, string requestId);

    [LoggerMessage(EventId = 2, EventName = "CircuitChanged", Level = LogLevel.Warning, Message =
        "circuit {Circuit} of cluster {Cluster}: {From} to {To} ({Reason}), open for {BreakMs} ms")]
    private static partial void Circuit(ILogger logger, string circuit, string cluster, string from, string to, CircuitTransitionReason reason, long breakMs);

    public static void CircuitChanged(ILogger logger, ClusterCircuitTransition t) => Circuit(
        logger, GatewayMetrics.Label(t.Circuit), t.ClusterId, GatewayMetrics.Label(t.Transition.From), GatewayMetrics.Label(t.Transition.To), t.Transition.Reason, (long)t.Transition.Break.TotalMilliseconds);

    [LoggerMessage(EventId = 3, EventName = "ExchangeCrashed", Level = LogLevel.Error, Message = "exchange on route {Route} failed inside the gateway, request {RequestId}")]
    public static partial void Crashed(ILogger logger, Exception exception, string route, string requestId);

    [LoggerMessage(EventId = 4, EventName = "EventStreamRejoined", Level = LogLevel.Information, Message =
        "event stream of route {Route} goes on: cluster {Cluster} was away for {AwayMs} ms, {Failures} connections failed or did not last, request {RequestId}")]
    public static partial void Rejoined(ILogger logger, string route, string cluster, long awayMs, int failures, string requestId);
}
