using System.Text;

namespace ProxyGateway.TestKit.Contract;

/// <summary>
/// One block of an event stream, up to and with its blank line, read the plain way of WHATWG HTML 9.2.6: the checker must
/// not share the product's scanner, or they would share its mistakes.
/// </summary>
public sealed class SseBlock
{
    private SseBlock(ReadOnlyMemory<byte> raw, string eventName, byte[] data, bool hasData, bool hasComment)
    {
        Raw = raw;
        EventName = eventName;
        Data = data;
        HasData = hasData;
        HasComment = hasComment;
    }

    public ReadOnlyMemory<byte> Raw { get; }

    public string EventName { get; }

    /// <summary>The values of the data lines, joined by LF.</summary>
    public byte[] Data { get; }

    public bool HasData { get; }

    public bool HasComment { get; }

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The whole blocks of <paramref name="stream"/>; <paramref name="remainder"/> is where the bytes begin that belong to none.</summary>
    public static List<SseBlock> ReadAll(ReadOnlyMemory<byte> stream, out int remainder, bool isStart = true)
    {
        var blocks = new List<SseBlock>();
        remainder = 0;
        while (TryRead(stream[remainder..], isStart && remainder == 0, out var block))
        {
            blocks.Add(block);
            remainder += block.Raw.Length;
        }

        return blocks;
    }

    /// <summary>Reads the first block; false where there is no blank line.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> stream, bool isStart, out SseBlock block)
    {
        var bytes = stream.Span;
        var position = isStart && bytes.StartsWith(ByteOrderMark) ? 3 : 0;
        var eventName = "";
        List<byte[]>? data = null;
        var hasComment = false;
        while (TryReadLine(bytes, position, out var line, out var next))
        {
            position = next;
            if (line.IsEmpty)
            {
                block = new SseBlock(stream[..position], eventName, Join(data), data is not null, hasComment);
                return true;
            }

            var colon = line.IndexOf((byte)':');
            if (colon == 0)
            {
                hasComment = true;
                continue;
            }

            var name = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? [] : line[(colon + 1)..];
            if (value.StartsWith((byte)' '))
            {
                value = value[1..];
            }

            if (name.SequenceEqual("data"u8))
            {
                (data ??= []).Add(value.ToArray());
            }
            else if (name.SequenceEqual("event"u8))
            {
                eventName = Encoding.UTF8.GetString(value);
            }
        }

        block = null!;
        return false;
    }

    /// <summary>Reads the first line as the data of one block, for formats that have one document per line; false where there is no LF.</summary>
    public static bool TryReadLine(ReadOnlyMemory<byte> stream, bool isStart, out SseBlock block)
    {
        var end = stream.Span.IndexOf((byte)'\n');
        block = null!;
        if (end < 0)
        {
            return false;
        }

        var raw = stream[..(end + 1)];
        var data = isStart && raw.Span.StartsWith(ByteOrderMark) ? raw[3..end] : raw[..end];
        block = new SseBlock(raw, "", data.ToArray(), !data.Span.Trim((byte)'\r').IsEmpty, hasComment: false);
        return true;
    }

    private static bool TryReadLine(ReadOnlySpan<byte> bytes, int start, out ReadOnlySpan<byte> line, out int next)
    {
        var end = start < bytes.Length ? bytes[start..].IndexOfAny((byte)'\r', (byte)'\n') : -1;
        if (end < 0)
        {
            line = [];
            next = start;
            return false;
        }

        line = bytes.Slice(start, end);
        next = start + end + 1;
        if (bytes[next - 1] == '\r' && next < bytes.Length && bytes[next] == '\n')
        {
            next++;
        }

        return true;
    }

    private static byte[] Join(List<byte[]>? lines)
    {
        if (lines is null)
        {
            return [];
        }

        if (lines.Count == 1)
        {
            return lines[0];
        }

        var joined = new List<byte>(lines[0]);
        foreach (var line in lines.Skip(1))
        {
            joined.Add((byte)'\n');
            joined.AddRange(line);
        }

        return [.. joined];
    }
}
