using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Whether an answer is an event stream, also where the upstream does not say so.</summary>
internal static class StreamSniffer
{
    public static bool IsStream(ChatFormat format, string contentType, ReadOnlySpan<byte> first)
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
        var start = (first.StartsWith("\uFEFF"u8) ? first[3..] : first).TrimStart("\r\n"u8);
        return format.Framing == StreamFraming.JsonLines
            ? start.StartsWith("{"u8)
            : start.StartsWith("data:"u8) || start.StartsWith("event:"u8) || start.StartsWith(":"u8) || start.StartsWith("id:"u8) || start.StartsWith("retry:"u8);
    }
}
