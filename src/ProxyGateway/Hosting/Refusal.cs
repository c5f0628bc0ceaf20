using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.Hosting;

/// <summary>An error the host answers with before the exchange begins: in the route's chat format, or as problem details.</summary>
internal static class Refusal
{
    public static async Task WriteAsync(HttpContext context, RouteConfig route, GatewayError error)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        if (RouteSettings.Of(route)?.Format is { } format)
        {
            using var body = new PooledBuffer();
            format.WriteErrorBody(error, null, body);
            response.ContentType = "application/json";
            response.ContentLength = body.Length;
            await response.Body.WriteAsync(body.Memory, context.RequestAborted);
            return;
        }

        await Results.Problem(error.Message, statusCode: error.Status, title: error.Code).ExecuteAsync(context);
    }
}
