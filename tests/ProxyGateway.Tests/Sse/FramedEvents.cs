using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;
using Xunit;

namespace ProxyGateway.Tests.Sse;

/// <summary>Runs the framer and the parser over a stream in pieces, as the guard does.</summary>
internal static class FramedEvents
{
    public static List<(string Type, string Data, bool HasData, byte[] Raw)> Read(IEnumerable<byte[]> chunks, StreamFraming framing = StreamFraming.ServerSentEvents)
    {
        var framer = new EventFramer(framing);
        var scratch = new PooledBuffer();
        var tail = new List<byte>();
        var events = new List<(string, string, bool, byte[])>();
        foreach (var chunk in chunks)
        {
            var position = 0;
            while (position < chunk.Length)
            {
                var length = framer.FindEventEnd(chunk.AsSpan(position));
                if (length < 0)
                {
                    break;
                }

                Assert.InRange(length, 1, chunk.Length - position);
                byte[] raw = [.. tail, .. chunk.AsSpan(position, length)];
                tail.Clear();
                position += length;
                var e = EventParser.Parse(framing, raw, events.Count == 0, scratch);
                events.Add((System.Text.Encoding.UTF8.GetString(e.Type), System.Text.Encoding.UTF8.GetString(e.Data), e.HasData, raw));
            }

            tail.AddRange(chunk.AsSpan(position).ToArray());
        }

        return events;
    }

    public static IEnumerable<byte[]> Cut(byte[] bytes, int size)
    {
        for (var i = 0; i < bytes.Length; i += size)
        {
            yield return bytes[i..Math.Min(bytes.Length, i + size)];
        }
    }
}
