using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>The error response of JSON-RPC 2.0 (specification, section 5.1).</summary>
internal static class JsonRpcError
{
    private const int InvalidRequest = -32600;
    private const int InternalError = -32603;

    /// <summary>Whether <paramref name="json"/> is an error response, and its <paramref name="code"/>. Agents name no complaint that the plan depends on. Never throws.</summary>
    public static UpstreamComplaint Read(ReadOnlySpan<byte> json, out int code)
    {
        code = 0;
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("error"u8, out var error) || error.ValueKind == JsonValueKind.Null)
            {
                return UpstreamComplaint.None;
            }

            if (error.ValueKind == JsonValueKind.Object && error.TryGetProperty("code"u8, out var number) && number.ValueKind == JsonValueKind.Number)
            {
                _ = number.TryGetInt32(out code);
            }

            return UpstreamComplaint.Other;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return UpstreamComplaint.None;
        }
    }

    /// <summary>
    /// Whether the code blames the request (JSON-RPC 2.0, section 5.1: not JSON, no request, no such method, wrong parameters; A2A 0.3,
    /// section 8.2: no such task, not cancelable, not supported), and not the agent.
    /// </summary>
    public static bool IsOfRequest(int code) => code is -32700 or -32007 or >= -32602 and <= -32600 or >= -32005 and <= -32001;

    /// <param name="error">What to report.</param>
    /// <param name="id">The raw JSON of the request's id; null where it is not known.</param>
    /// <param name="output">Where to write.</param>
    public static void Write(in GatewayError error, byte[]? id, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, JsonText.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WritePropertyName("id"u8);
        RawJson.Write(writer, id ?? "null"u8);
        writer.WriteStartObject("error"u8);
        writer.WriteNumber("code"u8, error.Status < 500 ? InvalidRequest : InternalError);
        writer.WriteString("message"u8, error.Message);
        writer.WriteStartObject("data"u8);
        writer.WriteString("code"u8, error.Code);
        writer.WriteNumber("status"u8, error.Status);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
