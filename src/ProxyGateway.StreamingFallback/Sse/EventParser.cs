using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.StreamingFallback.Sse;

/// <summary>Reads the fields of one whole event (WHATWG HTML, 9.2.6 "Interpreting an event stream").</summary>
internal static class EventParser
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Parses <paramref name="raw"/>. Data that spans several lines is joined in <paramref name="scratch"/>, which must
    /// live as long as the event; data of one line is a slice of <paramref name="raw"/>.
    /// </summary>
    public static StreamEvent Parse(StreamFraming framing, ReadOnlySpan<byte> raw, bool isFirst, PooledBuffer scratch)
    {
        // Anywhere but at the start of the stream a byte order mark is a part of the field's name, and clients lose the event.
        var rest = isFirst && raw.StartsWith(ByteOrderMark) ? raw[ByteOrderMark.Length..] : raw;
        if (framing == StreamFraming.JsonLines)
        {
            var line = rest.TrimEnd("\r\n"u8);
            return new StreamEvent(raw, default, line, !line.IsEmpty);
        }

        ReadOnlySpan<byte> type = default;
        ReadOnlySpan<byte> data = default;
        var dataLines = 0;
        while (!rest.IsEmpty)
        {
            var line = TakeLine(ref rest);
            if (line.StartsWith("data"u8) && TryTakeValue(line[4..], out var value))
            {
                dataLines++;
                if (dataLines == 1)
                {
                    data = value;
                    continue;
                }

                if (dataLines == 2)
                {
                    scratch.Truncate(0);
                    scratch.Append(data);
                }

                scratch.Append((byte)'\n');
                scratch.Append(value);
            }
            else if (line.StartsWith("event"u8) && TryTakeValue(line[5..], out var named))
            {
                type = named;
            }
        }

        return new StreamEvent(raw, type, dataLines > 1 ? scratch.Span : data, dataLines > 0);
    }

    /// <summary>The value of the last line of a whole event whose field is called <paramref name="name"/>.</summary>
    public static bool TryFindField(ReadOnlySpan<byte> raw, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        var found = false;
        while (!raw.IsEmpty)
        {
            var line = TakeLine(ref raw);
            if (line.StartsWith(name) && TryTakeValue(line[name.Length..], out var candidate))
            {
                value = candidate;
                found = true;
            }
        }

        return found;
    }

    private static ReadOnlySpan<byte> TakeLine(scoped ref ReadOnlySpan<byte> rest)
    {
        var k = rest.IndexOfAny((byte)'\n', (byte)'\r');
        var line = k < 0 ? rest : rest[..k];
        // The LF of a CRLF comes out as an empty line, which says nothing in a whole event.
        rest = k < 0 ? default : rest[(k + 1)..];
        return line;
    }

    /// <summary>What follows a field's name: nothing (an empty value) or a colon, at most one space, and the value.</summary>
    private static bool TryTakeValue(ReadOnlySpan<byte> afterName, out ReadOnlySpan<byte> value)
    {
        if (afterName.IsEmpty)
        {
            value = default;
            return true;
        }

        if (afterName[0] != (byte)':')
        {
            value = default;
            return false;
        }

        value = afterName.Length > 1 && afterName[1] == (byte)' ' ? afterName[2..] : afterName[1..];
        return true;
    }
}
