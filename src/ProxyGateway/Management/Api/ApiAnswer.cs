using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ProxyGateway.Management.Api;

/// <summary>The two shapes of an answer.</summary>
internal static class ApiAnswer
{
    public static Task JsonAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    public static Task ErrorAsync(HttpContext context, int status, string code, string message) =>
        JsonAsync(context, new ApiErrorAnswer(new ApiError(code, message)), ApiJson.Default.ApiErrorAnswer, status);
}
