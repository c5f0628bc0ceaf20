using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>The error object that the OpenAI formats share (OpenAI API reference, "Errors").</summary>
internal static class OpenAIError
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

            var hasError = root.TryGetProperty("error"u8, out var error) && error.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);
            if (!hasError && !"error"u8.SequenceEqual(JsonText.GetUtf8(root, "object"u8)))
            {
                return UpstreamComplaint.None;
            }

            var subject = hasError && error.ValueKind == JsonValueKind.Object ? error : root;
            return Says(subject, "code"u8) ?? Says(subject, "type"u8) ?? SaysInWords(hasError && error.ValueKind == JsonValueKind.String ? root : subject) ?? UpstreamComplaint.Other;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return UpstreamComplaint.None;
        }
    }

    public static void WriteBody(in GatewayError error, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, JsonText.WriterOptions);
        writer.WriteStartObject();
        WriteError(writer, error);
        writer.WriteEndObject();
    }

    public static void WriteError(Utf8JsonWriter writer, in GatewayError error)
    {
        writer.WriteStartObject("error"u8);
        writer.WriteString("message"u8, error.Message);
        writer.WriteString("type"u8, error.Status < 500 ? "invalid_request_error"u8 : "server_error"u8);
        writer.WriteNull("param"u8);
        writer.WriteString("code"u8, error.Code);
        writer.WriteEndObject();
    }

    /// <summary>What an error object itself complains about.</summary>
    public static UpstreamComplaint Judge(JsonElement error) =>
        Says(error, "code"u8) ?? Says(error, "type"u8) ?? SaysInWords(error) ?? UpstreamComplaint.Other;

    private static UpstreamComplaint? Says(JsonElement error, ReadOnlySpan<byte> member)
    {
        var value = JsonText.GetUtf8(error, member);
        return value switch
        {
            null => null,
            _ when value.AsSpan().SequenceEqual("context_length_exceeded"u8) => UpstreamComplaint.ContextLengthExceeded,
            _ when value.AsSpan().SequenceEqual("content_policy_violation"u8) || value.AsSpan().SequenceEqual("content_filter"u8) => UpstreamComplaint.ContentPolicy,
            // What the API says of a prompt or picture that was flagged.
            _ when value.AsSpan().SequenceEqual("invalid_prompt"u8) || value.AsSpan().SequenceEqual("image_content_policy_violation"u8) => UpstreamComplaint.ContentPolicy,
            _ => null,
        };
    }

    /// <summary>Servers without a code for it say it in this sentence.</summary>
    private static UpstreamComplaint? SaysInWords(JsonElement error) =>
        JsonText.GetUtf8(error, "message"u8) is { } message && message.AsSpan().IndexOf("maximum context length"u8) >= 0
            ? UpstreamComplaint.ContextLengthExceeded
            : null;
}
