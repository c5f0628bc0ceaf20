using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.AgentApi;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>
/// Routes of format <c>agentapi</c>: event streams and messages go to runners of their own, all else to YARP. An agent acts, so nothing
/// here is ever sent twice.
/// </summary>
internal sealed class AgentApiMiddleware(RequestDelegate next, ExchangeServices services, ILogger<AgentApiMiddleware> logger)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (AgentRouteSettings.Of(context.Proxy().Route.Config) is not { } route)
        {
            return next(context);
        }

        var request = context.Request;
        var kind = AgentRequests.KindOf(request.Method, request.Path.Value ?? "", request.Headers.Accept);
        return kind == AgentRequestKind.Other ? next(context) : EnterAsync(context, route, kind);
    }

    private async Task EnterAsync(HttpContext context, AgentRouteSettings route, AgentRequestKind kind)
    {
        var requestId = RequestIds.Of(context.Request);
        var exchange = new AgentExchange(context, route, kind, services.Time) { RequestId = requestId, ClusterId = route.Cluster.ClusterId };
        var gate = services.Visits.Limits.All;
        if (!await gate.EnterAsync(route.Limits.Concurrency, context.RequestAborted))
        {
            services.Metrics.Overloaded("");
            await RefuseAsync(exchange, FaultAnswer.For(new Fault(FaultKind.Overloaded, FaultPhase.Connect), route.Limits));
            return;
        }

        if (!HopCount.TryAdd(context.Request.Headers))
        {
            gate.Leave();
            await RefuseAsync(exchange, FaultAnswer.TooManyHops);
            return;
        }

        AttemptRequest.Clean(context, requestId);
        AgentRunner runner = kind == AgentRequestKind.Events
            ? new EventStreamRunner(exchange, next, services, logger)
            : new MessageRunner(exchange, next, services);
        await services.RunAsync(exchange, runner, logger);
    }

    private Task RefuseAsync(AgentExchange exchange, GatewayError error)
    {
        services.Live.Refused();
        services.Metrics.Refused(exchange.RouteId, services.Time.GetElapsedTime(exchange.StartedAt));
        return AgentAnswer.SendAsync(exchange, error, "1");
    }
}
