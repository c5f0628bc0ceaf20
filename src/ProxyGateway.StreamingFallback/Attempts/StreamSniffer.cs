using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Whether an answer is an event stream, also where the upstream does not say so.</summary>
internal static class StreamSniffer
{
    /// <summary>A first line longer than this is a whole answer, which need not be looked at again with each piece of it.</summary>
    private const int MaxFirstLine = 64 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Null where <paramref name="first"/> is too short to tell.</summary>
    public static bool? IsStream(ChatFormat format, string contentType, ReadOnlySpan<byte> first)
    {
        if (contentType.StartsWith(format.StreamContentType, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (format.Framing == StreamFraming.JsonLines && contentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            return BeginsWithJsonLine(first);
        }

        if (contentType.Length > 0 && !contentType.StartsWith("text/plain", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        // Small agents leave the type out; clients read such streams all the same.
        if (ByteOrderMark.StartsWith(first))
        {
            return null;
        }

        var start = (first.StartsWith(ByteOrderMark) ? first[3..] : first).TrimStart("\r\n"u8);
        if (start.IsEmpty)
        {
            return null;
        }

        return format.Framing == StreamFraming.JsonLines
            ? start.StartsWith("{"u8)
            : BeginsField(start);
    }

    /// <summary>
    /// One document per line, sent under the type of a single document: so it is where the first line is a whole object. An answer
    /// of one line reads the same either way.
    /// </summary>
    private static bool? BeginsWithJsonLine(ReadOnlySpan<byte> first)
    {
        var start = (first.StartsWith(ByteOrderMark) ? first[3..] : first).TrimStart(" \t\r\n"u8);
        var end = start.IndexOf((byte)'\n');
        if (end < 0)
        {
            return start.Length > MaxFirstLine || (!start.IsEmpty && start[0] != (byte)'{') ? false : null;
        }

        try
        {
            var reader = new Utf8JsonReader(start[..end]);
            reader.Read();
            var isObject = reader.TokenType == JsonTokenType.StartObject;
            while (reader.Read())
            {
            }

            return isObject;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool? BeginsField(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("data:"u8) || line.StartsWith("event:"u8) || line.StartsWith(":"u8) || line.StartsWith("id:"u8) || line.StartsWith("retry:"u8))
        {
            return true;
        }

        return "data"u8.StartsWith(line) || "event"u8.StartsWith(line) || "id"u8.StartsWith(line) || "retry"u8.StartsWith(line) ? null : false;
    }
}
