using System.Buffers;
using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.ChatFormats;

/// <summary>Short ways to ask a format.</summary>
internal static class FormatAsserts
{
    public static readonly GatewayError Truncated = new(502, "upstream_truncated", "The upstream ended in mid-answer.");

    public static EventMeaning Read(this ChatStreamReader reader, string data, string type = "") =>
        reader.Read(new StreamEvent(default, Encoding.UTF8.GetBytes(type), Encoding.UTF8.GetBytes(data), hasData: true));

    public static string AttemptBody(this ChatFormat format, string body, AttemptMode mode, string? model = null, string path = "/")
    {
        var output = new ArrayBufferWriter<byte>();
        var bytes = Encoding.UTF8.GetBytes(body);
        return format.WriteAttemptBody(GuardedStream.ReadRequest(format, body, path), bytes, mode, model, output)
            ? Encoding.UTF8.GetString(output.WrittenSpan)
            : body;
    }

    public static string Written(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>The data of every event that has some, as the wire has it.</summary>
    public static List<string> Events(ChatFormat format, string stream)
    {
        var events = new List<string>();
        var framer = new EventFramer(format.Framing);
        var isFirst = true;
        using var scratch = new PooledBuffer();
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(stream);
        for (var end = framer.FindEventEnd(rest); end > 0; end = framer.FindEventEnd(rest))
        {
            var e = EventParser.Parse(format.Framing, rest[..end], isFirst, scratch);
            isFirst = false;
            if (e.HasData)
            {
                events.Add(Encoding.UTF8.GetString(e.Data));
            }

            rest = rest[end..];
        }

        Assert.True(rest.IsEmpty, "The stream ends in the middle of an event.");
        return events;
    }

    public static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    /// <summary>The recorded streams of this format; skips the test where the recordings are missing, and fails it on a build server.</summary>
    public static List<RecordedStream> Recorded(ChatFormat format)
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        return [.. RecordedStreams.Load(folder).Where(s => s.Format == format.Name)];
    }
}
