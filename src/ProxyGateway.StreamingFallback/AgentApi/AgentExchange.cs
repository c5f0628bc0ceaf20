using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.ChatFormats.AgentApi;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>One request to an agent behind agentapi that the gateway has a say in. Its body, if it has one, is never read here.</summary>
internal sealed class AgentExchange(HttpContext http, AgentRouteSettings route, AgentRequestKind kind, TimeProvider time)
    : ClientExchange(http, route.RouteId, route.Limits, time)
{
    public AgentRouteSettings Route => route;

    public override bool IsStreaming => kind == AgentRequestKind.Events;
}
