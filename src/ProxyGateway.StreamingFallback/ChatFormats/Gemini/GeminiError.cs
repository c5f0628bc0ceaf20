using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>The error object of Google's APIs (Google Cloud API design guide, "Errors").</summary>
internal static class GeminiError
{
    /// <summary>What an error body or error event complains about. Never throws.</summary>
    public static UpstreamComplaint Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            // A request for a JSON array is refused with an array of one error.
            if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > 0)
            {
                root = root[0];
            }

            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("error"u8, out var error) || error.ValueKind == JsonValueKind.Null)
            {
                return UpstreamComplaint.None;
            }

            // There is no code for it; the API says it in this sentence.
            return JsonText.GetUtf8(error, "message"u8) is { } message && message.AsSpan().IndexOf("exceeds the maximum number of tokens"u8) >= 0
                ? UpstreamComplaint.ContextLengthExceeded
                : UpstreamComplaint.Other;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return UpstreamComplaint.None;
        }
    }

    public static void Write(in GatewayError error, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, JsonText.WriterOptions);
        writer.WriteStartObject();
        writer.WriteStartObject("error"u8);
        writer.WriteNumber("code"u8, error.Status);
        writer.WriteString("message"u8, error.Message);
        writer.WriteString("status"u8, Status(error.Status));
        // Google's place for a code that a program reads.
        writer.WriteStartArray("details"u8);
        writer.WriteStartObject();
        writer.WriteString("@type"u8, "type.googleapis.com/google.rpc.ErrorInfo"u8);
        writer.WriteString("reason"u8, error.Code);
        writer.WriteString("domain"u8, "proxygateway"u8);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>The name that Google gives to an HTTP status (google.rpc.Code).</summary>
    private static ReadOnlySpan<byte> Status(int httpStatus) => httpStatus switch
    {
        401 => "UNAUTHENTICATED"u8,
        403 => "PERMISSION_DENIED"u8,
        404 => "NOT_FOUND"u8,
        429 => "RESOURCE_EXHAUSTED"u8,
        < 500 => "INVALID_ARGUMENT"u8,
        500 => "INTERNAL"u8,
        504 => "DEADLINE_EXCEEDED"u8,
        _ => "UNAVAILABLE"u8,
    };
}
