using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Sends one attempt through the rest of YARP's pipeline, with the attempt's features in the client's place.</summary>
internal static class AttemptRunner
{
    public static async Task<AttemptOutcome> RunAsync(HttpContext context, Attempt attempt, RequestDelegate next)
    {
        var features = context.Features;
        attempt.Proxy = features.Get<IReverseProxyFeature>();
        using var span = GatewayTracing.StartAttempt(attempt);
        var response = features.Get<IHttpResponseFeature>();
        var body = features.Get<IHttpResponseBodyFeature>();
        var trailers = features.Get<IHttpResponseTrailersFeature>();
        var lifetime = features.Get<IHttpRequestLifetimeFeature>();
        var reset = features.Get<IHttpResetFeature>();
        try
        {
            features.Set<IHttpResponseFeature>(attempt.Features);
            features.Set<IHttpResponseBodyFeature>(attempt.Features);
            features.Set<IHttpResponseTrailersFeature>(attempt.Features);
            features.Set<IHttpRequestLifetimeFeature>(attempt.Features);
            // YARP resets the client's HTTP/2 stream when a copy fails; without the feature it aborts, which is ours.
            features.Set<IHttpResetFeature>(null);
            features.Set(attempt);
            await next(context);
        }
        catch (OperationCanceledException) when (attempt.Features.RequestAborted.IsCancellationRequested)
        {
            // The attempt knows why it was cancelled.
        }
        finally
        {
            features.Set(response);
            features.Set(body);
            features.Set(trailers);
            features.Set(lifetime);
            features.Set(reset);
            features.Set<Attempt>(null);
        }

        var outcome = attempt.Conclude(features.Get<IForwarderErrorFeature>());
        AttemptReport.Ended(attempt, outcome, context.GetReverseProxyFeature().ProxiedDestination?.DestinationId, span);
        return outcome;
    }
}
