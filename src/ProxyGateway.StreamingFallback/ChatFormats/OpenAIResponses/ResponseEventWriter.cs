using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Frames one event: its name, its type and its number.</summary>
internal static class ResponseEventWriter
{
    /// <summary>Opens an event; the caller adds members to the returned writer and hands it to <see cref="End"/>.</summary>
    public static Utf8JsonWriter Begin(IBufferWriter<byte> output, ReadOnlySpan<byte> type, long sequenceNumber)
    {
        output.Write("event: "u8);
        output.Write(type);
        output.Write("\ndata: "u8);
        var writer = new Utf8JsonWriter(output, JsonText.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("type"u8, type);
        writer.WriteNumber("sequence_number"u8, sequenceNumber);
        return writer;
    }

    public static void End(Utf8JsonWriter writer, IBufferWriter<byte> output)
    {
        writer.WriteEndObject();
        writer.Flush();
        output.Write("\n\n"u8);
    }
}
