using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>Ollama's error object: one sentence and no code (Ollama API reference, "Errors").</summary>
internal static class OllamaError
{
    /// <summary>What an error body or error line complains about. Never throws.</summary>
    public static UpstreamComplaint Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("error"u8, out var error) || error.ValueKind == JsonValueKind.Null)
            {
                return UpstreamComplaint.None;
            }

            var sentence = JsonText.GetUtf8(root, "error"u8) ?? JsonText.GetUtf8(error, "message"u8) ?? [];
            return sentence.AsSpan().IndexOf("context length"u8) >= 0 ? UpstreamComplaint.ContextLengthExceeded : UpstreamComplaint.Other;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return UpstreamComplaint.None;
        }
    }
}
