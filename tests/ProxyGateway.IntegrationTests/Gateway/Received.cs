using System.Text.Json;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>A chat answer as a plain client reads it.</summary>
internal static class Received
{
    /// <summary>The text of choice 0 (or another), put together from a stream's deltas.</summary>
    public static string Text(this HttpResult result, int choice = 0) => string.Concat(
        result.Chunks().SelectMany(c => c.GetProperty("choices").EnumerateArray())
            .Where(c => c.GetProperty("index").GetInt32() == choice)
            .Select(c => c.GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : null));

    /// <summary>The JSON of every event, the end marker and errors left out.</summary>
    public static IReadOnlyList<JsonElement> Chunks(this HttpResult result) =>
        [.. result.Data().Where(d => d != "[DONE]").Select(d => JsonDocument.Parse(d).RootElement).Where(e => !e.TryGetProperty("error", out _))];

    /// <summary>The data of every event.</summary>
    public static IReadOnlyList<string> Data(this HttpResult result) =>
        [.. SseBlock.ReadAll(result.Body, out _).Where(b => b.HasData).Select(b => System.Text.Encoding.UTF8.GetString(b.Data))];

    /// <summary>The code of the answer's error, in a body or in an event; null where there is none.</summary>
    public static string? ErrorCode(this HttpResult result) => result.Error() is { } e ? e.GetProperty("code").GetString() : null;

    public static JsonElement? Error(this HttpResult result)
    {
        var candidates = result.Header("Content-Type")?.StartsWith("text/event-stream", StringComparison.Ordinal) == true ? result.Data() : [result.Text];
        foreach (var candidate in candidates.Where(c => c.StartsWith('{')))
        {
            if (JsonDocument.Parse(candidate).RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
            {
                return error;
            }
        }

        return null;
    }

    public static bool IsDone(this HttpResult result) => result.Data() is [.., "[DONE]"];
}
