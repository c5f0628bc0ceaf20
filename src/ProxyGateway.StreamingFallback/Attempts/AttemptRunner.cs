using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Sends one attempt through the rest of YARP's pipeline, with the attempt's features in the client's place.</summary>
internal static class AttemptRunner
{
    public static async Task<AttemptOutcome> RunAsync(HttpContext context, UpstreamCall call, RequestDelegate next)
    {
        var features = context.Features;
        call.Proxy = features.Get<IReverseProxyFeature>();
        using var span = call is Attempt attempt ? GatewayTracing.StartAttempt(attempt) : null;
        var response = features.Get<IHttpResponseFeature>();
        var body = features.Get<IHttpResponseBodyFeature>();
        var trailers = features.Get<IHttpResponseTrailersFeature>();
        var lifetime = features.Get<IHttpRequestLifetimeFeature>();
        var reset = features.Get<IHttpResetFeature>();
        try
        {
            features.Set<IHttpResponseFeature>(call.Features);
            features.Set<IHttpResponseBodyFeature>(call.Features);
            features.Set<IHttpResponseTrailersFeature>(call.Features);
            features.Set<IHttpRequestLifetimeFeature>(call.Features);
            // YARP resets the client's HTTP/2 stream when a copy fails; without the feature it aborts, which is ours.
            features.Set<IHttpResetFeature>(null);
            features.Set(call);
            await next(context);
        }
        catch (OperationCanceledException) when (call.Features.RequestAborted.IsCancellationRequested)
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
            features.Set<UpstreamCall>(null);
        }

        var outcome = call.Conclude(features.Get<IForwarderErrorFeature>());
        if (call is Attempt ended)
        {
            AttemptReport.Ended(ended, outcome, context.GetReverseProxyFeature().ProxiedDestination?.DestinationId, span);
        }

        return outcome;
    }
}
