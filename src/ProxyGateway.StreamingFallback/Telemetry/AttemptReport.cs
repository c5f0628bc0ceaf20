using System.Diagnostics;
using ProxyGateway.StreamingFallback.Attempts;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>What is told of one attempt once it is over, apart from its counting: its span, and the metrics for generative AI.</summary>
internal static class AttemptReport
{
    public static void Ended(Attempt attempt, AttemptOutcome outcome, string? destination, Activity? span)
    {
        var exchange = attempt.Exchange;
        if (attempt.TimeToFirstChunk is not null || attempt.Usage.IsReported)
        {
            var format = exchange.Route.Format;
            var labels = new TagList
            {
                { "gen_ai.operation.name", format.OperationName },
                { "gen_ai.provider.name", format.ProviderName },
                { "proxy.route.id", exchange.Route.RouteId },
                { "proxy.cluster.id", attempt.Cluster.ClusterId },
            };
            if (exchange.Limits.LabelOf(exchange.AskedModel) is { } model)
            {
                labels.Add("gen_ai.request.model", model);
            }

            var thrownAway = outcome.Result is AttemptResult.Failed or AttemptResult.Cancelled;
            exchange.Metrics?.Generated(labels, attempt.TimeToFirstChunk, attempt.Usage, thrownAway, exchange.Route.RouteId, attempt.Cluster.ClusterId);
        }

        if (outcome.Result == AttemptResult.Failed)
        {
            exchange.Span?.AddEvent(GatewayTracing.FaultEvent(attempt, outcome.Fault));
        }

        if (span is not null)
        {
            Describe(span, attempt, outcome, destination);
            exchange.LastAttempt = span;
        }
    }

    private static void Describe(Activity span, Attempt attempt, AttemptOutcome outcome, string? destination)
    {
        span.SetTag("proxygateway.attempt.result", outcome.Result.Label());
        SetIf(span, "proxy.destination.id", destination);
        SetIf(span, "gen_ai.response.time_to_first_chunk", attempt.TimeToFirstChunk?.TotalSeconds);
        SetIf(span, "gen_ai.usage.input_tokens", attempt.Usage.Input);
        SetIf(span, "gen_ai.usage.output_tokens", attempt.Usage.Output);
        if (outcome.Fault.Kind == FaultKind.None)
        {
            return;
        }

        SetIf(span, "http.response.status_code", outcome.Fault.Status == 0 ? null : outcome.Fault.Status);
        if (outcome.Result == AttemptResult.Failed)
        {
            span.AddEvent(GatewayTracing.FaultEvent(attempt, outcome.Fault));
            span.SetTag("error.type", outcome.Fault.Kind.Label());
            span.SetStatus(ActivityStatusCode.Error, outcome.Fault.Kind.Label());
        }
    }

    private static void SetIf(Activity span, string name, object? value)
    {
        if (value is not null)
        {
            span.SetTag(name, value);
        }
    }
}
