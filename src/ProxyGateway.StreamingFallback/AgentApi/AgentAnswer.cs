using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.AgentApi;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>Answers of the gateway's own on a route of format <c>agentapi</c>.</summary>
internal static class AgentAnswer
{
    /// <summary>An HTTP error, before anything else was sent.</summary>
    public static async Task SendAsync(AgentExchange exchange, GatewayError error, string retryAfter)
    {
        using var body = new PooledBuffer();
        AgentErrors.WriteProblem(error, body);
        await exchange.Client.SendAsync(error.Status, upstream: null, body.Memory, headers =>
        {
            headers.ContentType = AgentErrors.ContentType;
            if (error.Status == StatusCodes.Status503ServiceUnavailable)
            {
                headers.RetryAfter = retryAfter;
            }
        });
    }

    /// <summary>The loud ending of a stream that has begun.</summary>
    public static async Task TerminateAsync(AgentExchange exchange, GatewayError error)
    {
        using var bytes = new PooledBuffer();
        AgentErrors.WriteEvent(error, exchange.Time.GetUtcNow(), bytes);
        await exchange.Client.TerminateAsync(bytes);
    }
}
