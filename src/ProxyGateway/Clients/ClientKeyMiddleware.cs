using System.Globalization;
using Microsoft.Net.Http.Headers;
using ProxyGateway.Hosting;
using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.Clients;

/// <summary>
/// Lets only known clients use the proxy, where clients are configured: 401 without a key that is known, 403 on a route that is
/// not the client's, 429 beyond its limits, in the route's own format. The gateway's key is taken off the request, for it is no upstream's business.
/// </summary>
internal sealed class ClientKeyMiddleware(RequestDelegate next, ClientRegistry clients)
{
    private const string Bearer = "Bearer ";

    private static readonly string[] KeyHeaders = ["x-api-key", "api-key", "x-goog-api-key"];

    public Task InvokeAsync(HttpContext context)
    {
        var table = clients.Current;
        return table.IsEmpty ? next(context) : CheckAsync(context, table);
    }

    private async Task CheckAsync(HttpContext context, ClientTable table)
    {
        var route = context.GetRouteModel().Config;
        var (header, key) = FindKey(context.Request.Headers);
        if (key is null || table.Find(key) is not var (_, options, limits))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await Refusal.WriteAsync(context, route, new GatewayError(401, "invalid_api_key", "The request carries no key that the gateway knows."));
            return;
        }

        if (options.Routes.Count > 0 && !options.Routes.Contains(route.RouteId, StringComparer.OrdinalIgnoreCase))
        {
            await Refusal.WriteAsync(context, route, new GatewayError(403, "route_not_allowed", "This key may not use this route."));
            return;
        }

        using var lease = limits.TryEnter(out var retryAfter);
        if (lease is null)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await Refusal.WriteAsync(context, route, new GatewayError(429, "rate_limit_exceeded", "This key has reached its limit at the gateway."));
            return;
        }

        context.Request.Headers.Remove(header!);
        await next(context);
    }

    private static (string? Header, string? Key) FindKey(IHeaderDictionary headers)
    {
        var authorization = headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return (HeaderNames.Authorization, authorization[Bearer.Length..].Trim());
        }

        foreach (var name in KeyHeaders)
        {
            if (headers.TryGetValue(name, out var value) && value.Count == 1)
            {
                return (name, value.ToString());
            }
        }

        return (null, null);
    }
}
