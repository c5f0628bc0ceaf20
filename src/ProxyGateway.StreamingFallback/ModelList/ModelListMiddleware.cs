using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.ModelList;

/// <summary>Answers <c>GET</c> on a route that lists models with the union of what its clusters offer, and the aliases (OpenAI API reference, "List models").</summary>
internal sealed class ModelListMiddleware(RequestDelegate next, ModelLists lists)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            return next(context);
        }

        var route = context.Proxy().Route;
        return ModelListSettings.Of(route.Config) is { } settings ? AnswerAsync(context, route, settings) : next(context);
    }

    private async Task AnswerAsync(HttpContext context, RouteModel route, ModelListSettings settings)
    {
        var target = context.Request.Path + context.Request.QueryString;
        var authorization = context.Request.Headers.Authorization is [{ Length: > 0 } own] ? own : null;
        var answers = await Task.WhenAll(settings.Clusters.Select(cluster => lists.OfAsync(
            cluster,
            target,
            // The client's key is for the route's own cluster only.
            cluster.Equals(route.Config.ClusterId, StringComparison.OrdinalIgnoreCase) ? authorization : null,
            context.RequestAborted)));

        using var body = new PooledBuffer();
        await using (var writer = new Utf8JsonWriter(body, JsonText.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("object"u8, "list"u8);
            writer.WriteStartArray("data"u8);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var model in answers.SelectMany(a => a))
            {
                if (seen.Add(model.GetProperty("id"u8).GetString()!))
                {
                    model.WriteTo(writer);
                }
            }

            foreach (var alias in settings.Aliases.Where(seen.Add))
            {
                writer.WriteStartObject();
                writer.WriteString("id"u8, alias);
                writer.WriteString("object"u8, "model"u8);
                writer.WriteNumber("created"u8, 0);
                writer.WriteString("owned_by"u8, "gateway"u8);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body.Memory, context.RequestAborted);
    }
}
