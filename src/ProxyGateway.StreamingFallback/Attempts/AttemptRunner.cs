using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Sends one attempt through the rest of YARP's pipeline, with the attempt's features in the client's place.</summary>
internal static class AttemptRunner
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<AttemptOutcome> RunAsync(HttpContext context, UpstreamCall call, RequestDelegate next)
    {
        var features = context.Features;
        call.Proxy = (IReverseProxyFeature?)features[typeof(IReverseProxyFeature)];
        using var span = call is Attempt attempt ? GatewayTracing.StartAttempt(attempt) : null;
        // By type, not by type argument: a feature collection is asked for a generic method at a price, and there are many questions.
        var response = features[typeof(IHttpResponseFeature)];
        var body = features[typeof(IHttpResponseBodyFeature)];
        var trailers = features[typeof(IHttpResponseTrailersFeature)];
        var lifetime = features[typeof(IHttpRequestLifetimeFeature)];
        var reset = features[typeof(IHttpResetFeature)];
        try
        {
            features[typeof(IHttpResponseFeature)] = call.Features;
            features[typeof(IHttpResponseBodyFeature)] = call.Features;
            features[typeof(IHttpResponseTrailersFeature)] = call.Features;
            features[typeof(IHttpRequestLifetimeFeature)] = call.Features;
            if (reset is not null)
            {
                // YARP resets the client's HTTP/2 stream when a copy fails; without the feature it aborts, which is ours.
                features[typeof(IHttpResetFeature)] = null;
            }

            await next(context);
        }
        catch (OperationCanceledException) when (call.Features.RequestAborted.IsCancellationRequested)
        {
            // The attempt knows why it was cancelled.
        }
        finally
        {
            features[typeof(IHttpResponseFeature)] = response;
            features[typeof(IHttpResponseBodyFeature)] = body;
            features[typeof(IHttpResponseTrailersFeature)] = trailers;
            features[typeof(IHttpRequestLifetimeFeature)] = lifetime;
            if (reset is not null)
            {
                features[typeof(IHttpResetFeature)] = reset;
            }
        }

        var outcome = call.Conclude((IForwarderErrorFeature?)features[typeof(IForwarderErrorFeature)]);
        if (call is Attempt ended)
        {
            AttemptReport.Ended(ended, outcome, call.Proxy?.ProxiedDestination?.DestinationId, span);
        }

        return outcome;
    }
}
