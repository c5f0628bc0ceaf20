using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>
/// The activity source <c>ProxyGateway</c>: a span per exchange and in it one per attempt, each until the end of its stream. Nothing
/// in them comes from a body; models only as far as the configuration names them. Costs a look at a field where nobody listens.
/// </summary>
internal static class GatewayTracing
{
    /// <summary>The source's name: what a host adds to its exporter.</summary>
    public const string SourceName = GatewayMetrics.MeterName;

    private static readonly ActivitySource Source = new(SourceName);

    public static Activity? StartExchange(HttpRequest request, RouteSettings route, string requestId)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var surrounding = Activity.Current;
        var parent = ParentOf(request, surrounding);
        if (parent == default)
        {
            // With no parent given, the surrounding one would be taken, recorded or not.
            Activity.Current = null;
        }

        var span = Source.StartActivity(ActivityKind.Server, parent, name: $"exchange {route.RouteId}");
        if (span is null)
        {
            Activity.Current = surrounding;
            return null;
        }

        span.SetTag("proxy.route.id", route.RouteId);
        span.SetTag("proxygateway.chat_format", route.Format.Name);
        span.SetTag("proxygateway.request.id", requestId);
        return span;
    }

    public static void Ended(ChatExchange exchange)
    {
        if (exchange.Span is not { } span)
        {
            return;
        }

        span.SetTag("proxy.cluster.id", exchange.ClusterId);
        span.SetTag("proxygateway.outcome", exchange.Outcome.Label());
        span.SetTag("proxygateway.attempts", exchange.Attempts);
        span.SetTag("proxygateway.recovery", exchange.Recovery);
        if (exchange.Outcome is ExchangeOutcome.Terminated or ExchangeOutcome.Failed or ExchangeOutcome.Rejected)
        {
            var fault = exchange.FirstFault?.Fault.Kind ?? FaultKind.GatewayError;
            span.SetTag("error.type", fault.Label());
            span.SetStatus(ActivityStatusCode.Error, fault.Label());
        }
    }

    public static Activity? StartAttempt(Attempt attempt)
    {
        var exchange = attempt.Exchange;
        if (exchange.Span is not { } parent)
        {
            return null;
        }

        var format = exchange.Route.Format;
        var model = exchange.Limits.LabelOf(exchange.AskedModel);
        ActivityLink[]? links = exchange.LastAttempt is { } replayed ? [new ActivityLink(replayed.Context)] : null;
        var span = Source.StartActivity(
            ActivityKind.Client, parent.Context, links: links, name: model is null ? format.OperationName : $"{format.OperationName} {model}");
        if (span is null)
        {
            return null;
        }

        span.SetTag("gen_ai.operation.name", format.OperationName);
        span.SetTag("gen_ai.provider.name", format.ProviderName);
        span.SetTag("gen_ai.request.stream", attempt.Mode == ChatFormats.AttemptMode.Streaming);
        span.SetTag("proxy.route.id", exchange.Route.RouteId);
        span.SetTag("proxy.cluster.id", attempt.Cluster.ClusterId);
        span.SetTag("proxygateway.attempt.number", exchange.Attempts);
        span.SetTag("proxygateway.attempt.mode", GatewayMetrics.Label(attempt.Mode));
        if (model is not null)
        {
            span.SetTag("gen_ai.request.model", model);
        }

        return span;
    }

    /// <summary>The event that says what an attempt died of.</summary>
    public static ActivityEvent FaultEvent(Attempt attempt, Fault fault) => new("fault", tags: new ActivityTagsCollection
    {
        ["reason"] = fault.Kind.Label(),
        ["phase"] = fault.Phase.Label(),
        ["proxy.cluster.id"] = attempt.Cluster.ClusterId,
    });

    /// <summary>The event that says that the answer goes on.</summary>
    public static ActivityEvent Recovery(ChatExchange exchange) => new("recovery", tags: new ActivityTagsCollection
    {
        ["recovery"] = exchange.Recovery,
        ["proxy.cluster.id"] = exchange.ClusterId,
    });

    /// <summary>
    /// The server's own span where somebody collects it, else what the client says. The server also makes one that nobody collects,
    /// for its log lines; a span below that would be sampled out, or point to a parent that does not exist.
    /// </summary>
    private static ActivityContext ParentOf(HttpRequest request, Activity? surrounding)
    {
        if (surrounding is { Source.Name.Length: > 0 })
        {
            return surrounding.Context;
        }

        return ActivityContext.TryParse(request.Headers.TraceParent, request.Headers.TraceState, isRemote: true, out var remote) ? remote : default;
    }
}
