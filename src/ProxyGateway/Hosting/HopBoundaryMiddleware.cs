using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.Hosting;

/// <summary>
/// First of the proxy pipeline: what belongs to the client's own hop ends here. A body whose length could be read in two ways is
/// refused, because the next hop may read it in the other (RFC 9112, section 6.3); headers that <c>Connection</c> names are
/// removed (RFC 9110, section 7.6.1); and the connection changes its protocol only on a route that says so.
/// </summary>
internal sealed class HopBoundaryMiddleware(RequestDelegate next)
{
    /// <summary>Where the server puts the length of a request that also names a transfer coding.</summary>
    private const string SetAsideLength = "X-Content-Length";

    /// <summary>Headers by which a client asks for another protocol.</summary>
    private static readonly string[] Handshake = [HeaderNames.Upgrade, HeaderNames.SecWebSocketVersion];

    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var headers = request.Headers;
        if (headers.TransferEncoding.Count > 0 && IsAmbiguous(request))
        {
            headers.Connection = default;
            context.Response.Headers.Connection = "close";
            return Refusal.WriteAsync(context, RouteOf(context), new GatewayError(
                StatusCodes.Status400BadRequest, "invalid_request", "The length of the request body is told in more than one way."));
        }

        if (HttpMethods.IsConnect(request.Method))
        {
            return IsWantedTunnel(context) ? next(context) : RefuseMethodAsync(context);
        }

        if (headers.Connection.Count > 0 || headers.Upgrade.Count > 0)
        {
            EndHop(context);
        }

        return next(context);
    }

    private static RouteConfig RouteOf(HttpContext context) => context.GetRouteModel().Config;

    private static bool IsAmbiguous(HttpRequest request) =>
        request.Headers.TransferEncoding is not [{ } only]
        || !only.Equals("chunked", StringComparison.OrdinalIgnoreCase)
        || request.ContentLength is not null
        || request.Headers.ContainsKey(SetAsideLength);

    private static void EndHop(HttpContext context)
    {
        var headers = context.Request.Headers;
        var isWantedUpgrade = headers.Upgrade.Count > 0 && IsRouteForUpgrades(RouteOf(context));
        HopHeaders.RemoveNamed(headers);
        if (!isWantedUpgrade)
        {
            // An upgrade may always be ignored (RFC 9110, section 7.8); the request is answered as the ordinary one it also is.
            headers.Upgrade = default;
            headers.Connection = default;
        }
    }

    /// <summary>A route says so by matching on a header of the handshake.</summary>
    private static bool IsRouteForUpgrades(RouteConfig route) => route.Match.Headers?.Any(h =>
        Handshake.Contains(h.Name, StringComparer.OrdinalIgnoreCase) && h.Mode is not (HeaderMatchMode.NotExists or HeaderMatchMode.NotContains)) == true;

    /// <summary>WebSocket over HTTP/2 (RFC 8441). A plain CONNECT would be a tunnel to a host of the client's choice.</summary>
    private static bool IsWantedTunnel(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } && IsRouteForUpgrades(RouteOf(context));

    private static Task RefuseMethodAsync(HttpContext context)
    {
        var route = RouteOf(context);
        context.Response.Headers.Allow = string.Join(", ", (route.Match.Methods ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
            .Where(m => !HttpMethods.IsConnect(m)));
        return Refusal.WriteAsync(context, route, new GatewayError(StatusCodes.Status405MethodNotAllowed, "invalid_request", "This route makes no tunnels."));
    }
}
