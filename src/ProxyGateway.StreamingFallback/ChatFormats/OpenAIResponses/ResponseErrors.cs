using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>The ways in which a stream of responses says that it failed (OpenAI API reference, "error" and "response.failed").</summary>
internal static class ResponseErrors
{
    /// <summary>What an <c>error</c> or <c>response.failed</c> event complains about. Never throws.</summary>
    public static UpstreamComplaint Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            return Member(Member(root, "response"), "error") is { } inResponse ? OpenAIError.Judge(inResponse)
                : Member(root, "error") is { } nested ? OpenAIError.Judge(nested)
                : OpenAIError.Judge(root);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return UpstreamComplaint.Other;
        }
    }

    /// <summary>Writes the events of the loud ending.</summary>
    /// <remarks>
    /// Two events, for no single one is heard by all: agents ignore <c>error</c> and ask again after <c>response.failed</c>,
    /// SDKs throw on <c>error</c> and pass <c>response.failed</c> on as one more event. The nested object is what older SDKs
    /// look for. The code is one of the API's own, since clients take some of the others for final.
    /// </remarks>
    public static void WriteEnding(in GatewayError error, OpenAIResponsesReader? delivered, IBufferWriter<byte> output)
    {
        var code = CodeOf(error);
        var first = 0L;
        delivered?.MakeRest(number => first = number);
        using (var writer = ResponseEventWriter.Begin(output, "error"u8, first))
        {
            WriteMembers(writer, error, code);
            writer.WriteStartObject("error"u8);
            writer.WriteString("type"u8, TypeOf(error));
            WriteMembers(writer, error, code);
            writer.WriteEndObject();
            ResponseEventWriter.End(writer, output);
        }

        using var failed = ResponseEventWriter.Begin(output, "response.failed"u8, first + 1);
        var identity = delivered?.Ledger.Identity ?? ResponseIdentity.Unknown;
        using var snapshot = identity.ParseSnapshot();
        failed.WritePropertyName("response"u8);
        ResponseObject.Write(failed, snapshot?.RootElement, identity, "failed"u8, (code, error.Message));
        ResponseEventWriter.End(failed, output);
    }

    private static void WriteMembers(Utf8JsonWriter writer, in GatewayError error, string code)
    {
        writer.WriteString("code"u8, code);
        writer.WriteString("message"u8, error.Message);
        writer.WriteNull("param"u8);
    }

    private static string CodeOf(in GatewayError error) => error.Status switch
    {
        429 => "rate_limit_exceeded",
        < 500 => error.Code,
        _ => "server_error",
    };

    private static ReadOnlySpan<byte> TypeOf(in GatewayError error) => error.Status switch
    {
        429 => "rate_limit_error"u8,
        < 500 => "invalid_request_error"u8,
        _ => "server_error"u8,
    };

    private static JsonElement? Member(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } p && p.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
