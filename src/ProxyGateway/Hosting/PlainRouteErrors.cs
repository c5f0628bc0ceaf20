using Microsoft.AspNetCore.Http.Timeouts;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.Hosting;

/// <summary>
/// Gives the errors that YARP makes itself on a plain route, which have a status and nothing else, the body of problem details.
/// What an upstream answered is left as it is.
/// </summary>
internal static class PlainRouteErrors
{
    /// <summary>Around the endpoints of plain routes only: an exchange on a guarded one would keep another frame for as long as its stream is open.</summary>
    public static void AddTo(IEndpointConventionBuilder endpoint, RouteConfig route)
    {
        if (RouteSettings.Of(route) is null && AgentRouteSettings.Of(route) is null)
        {
            endpoint.Add(builder => builder.RequestDelegate = Around(builder.RequestDelegate!, route));
        }
    }

    private static RequestDelegate Around(RequestDelegate proxy, RouteConfig route) => async context =>
    {
        await proxy(context);
        if (context.ForwarderError() is not { } error || context.Response.HasStarted || !CanReadIt(context.Request))
        {
            return;
        }

        if (context.Features.Get<IHttpRequestTimeoutFeature>() is { RequestTimeoutToken.IsCancellationRequested: true })
        {
            // The route's Timeout put its token in the client's place, where it would stop this answer as well.
            context.RequestAborted = CancellationToken.None;
            await Refusal.WriteAsync(context, route, Late);
        }
        else if (!context.RequestAborted.IsCancellationRequested)
        {
            await Refusal.WriteAsync(context, route, Describe(context.Response.StatusCode, error));
        }
    };

    private static GatewayError Late => new(StatusCodes.Status504GatewayTimeout, FaultKind.AnswerTimeout.Code(), new Fault(FaultKind.AnswerTimeout, FaultPhase.Headers).Sentence());

    /// <summary>A gRPC client has an error of its own for each status, and one that asked for another protocol awaits no document.</summary>
    private static bool CanReadIt(HttpRequest request) =>
        request.Headers.Upgrade.Count == 0
        && !HttpMethods.IsConnect(request.Method)
        && request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true;

    /// <summary>By the status where it is the request that cannot be passed on.</summary>
    private static GatewayError Describe(int status, IForwarderErrorFeature error)
    {
        switch (status)
        {
            case StatusCodes.Status413PayloadTooLarge:
                return new GatewayError(status, "request_too_large", "The request body is larger than the route allows.");
            case >= 400 and < 500:
                return new GatewayError(status, "invalid_request", "The request body could not be read.");
            default:
                var fault = new Fault(UpstreamError.Classify(error), FaultPhase.Headers);
                return new GatewayError(status, fault.Kind.Code(), fault.Sentence());
        }
    }
}
