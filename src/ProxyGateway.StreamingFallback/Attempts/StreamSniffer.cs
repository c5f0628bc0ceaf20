using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Whether an answer is an event stream, also where the upstream does not say so.</summary>
internal static class StreamSniffer
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Null where <paramref name="first"/> is too short to tell.</summary>
    public static bool? IsStream(ChatFormat format, string contentType, ReadOnlySpan<byte> first)
    {
        if (contentType.StartsWith(format.StreamContentType, StringComparison.OrdinalIgnoreCase))
        {
            return true;
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

    private static bool? BeginsField(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("data:"u8) || line.StartsWith("event:"u8) || line.StartsWith(":"u8) || line.StartsWith("id:"u8) || line.StartsWith("retry:"u8))
        {
            return true;
        }

        return "data"u8.StartsWith(line) || "event"u8.StartsWith(line) || "id"u8.StartsWith(line) || "retry"u8.StartsWith(line) ? null : false;
    }
}
