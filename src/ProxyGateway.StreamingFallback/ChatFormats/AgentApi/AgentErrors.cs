using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AgentApi;

/// <summary>The gateway's own errors in the forms that agentapi's clients know. Pure.</summary>
internal static class AgentErrors
{
    /// <summary>What agentapi itself answers errors with (RFC 9457).</summary>
    public const string ContentType = "application/problem+json";

    /// <summary>A comment line: no client takes it for an event.</summary>
    public static ReadOnlySpan<byte> Heartbeat => ": keepalive\n"u8;

    public static void WriteProblem(in GatewayError error, IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("type"u8, "about:blank"u8);
        json.WriteString("title"u8, error.Code);
        json.WriteNumber("status"u8, error.Status);
        // The one member that agentapi's page shows.
        json.WriteString("detail"u8, error.Message);
        json.WriteString("code"u8, error.Code);
        json.WriteEndObject();
    }

    /// <summary>
    /// The last event of a stream that cannot go on. Not <c>event: error</c>: browsers hand that to <c>onerror</c>, which the end of
    /// the body reaches as well, so a page would reconnect twice.
    /// </summary>
    public static void WriteEvent(in GatewayError error, DateTimeOffset at, IBufferWriter<byte> output)
    {
        output.Write("event: agent_error\ndata: "u8);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("message"u8, error.Message);
            json.WriteString("level"u8, "error"u8);
            json.WriteString("time"u8, at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("code"u8, error.Code);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }
}
