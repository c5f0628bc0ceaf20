using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>The error object of the Anthropic API, the same in an HTTP body and in an <c>error</c> event (API reference, "Errors").</summary>
internal static class AnthropicError
{
    /// <summary>What an error body or error event complains about. Never throws.</summary>
    public static UpstreamComplaint Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return UpstreamComplaint.None;
            }

            // Servers behind a translating router forget the outer type, but never the inner object.
            var hasError = root.TryGetProperty("error"u8, out var error) && error.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);
            if (!hasError && !"error"u8.SequenceEqual(JsonText.GetUtf8(root, "type"u8)))
            {
                return UpstreamComplaint.None;
            }

            var subject = hasError && error.ValueKind == JsonValueKind.Object ? error : root;
            return SaysInWords(JsonText.GetUtf8(subject, "message"u8)) ?? SaysInWords(JsonText.GetUtf8(root, "error"u8)) ?? UpstreamComplaint.Other;
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
        writer.WriteString("type"u8, "error"u8);
        writer.WriteStartObject("error"u8);
        writer.WriteString("type"u8, TypeOf(error.Status));
        writer.WriteString("message"u8, error.Message);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>The documented type of a status; 503 is the gateway's own way to say what the API says with 529.</summary>
    private static ReadOnlySpan<byte> TypeOf(int status) => status switch
    {
        401 => "authentication_error"u8,
        402 => "billing_error"u8,
        403 => "permission_error"u8,
        404 => "not_found_error"u8,
        413 => "request_too_large"u8,
        429 => "rate_limit_error"u8,
        408 or 504 => "timeout_error"u8,
        503 or 529 => "overloaded_error"u8,
        >= 400 and < 500 => "invalid_request_error"u8,
        _ => "api_error"u8,
    };

    /// <summary>The API has one type for all bad requests and tells them apart in its sentence only.</summary>
    private static UpstreamComplaint? SaysInWords(ReadOnlySpan<byte> message)
    {
        if (message.IndexOf("prompt is too long"u8) >= 0
            || message.IndexOf("exceed context limit"u8) >= 0
            || message.IndexOf("maximum context length"u8) >= 0)
        {
            return UpstreamComplaint.ContextLengthExceeded;
        }

        return message.IndexOf("blocked by content filtering"u8) >= 0 ? UpstreamComplaint.ContentPolicy : null;
    }
}
