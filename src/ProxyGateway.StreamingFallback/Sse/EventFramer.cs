using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.StreamingFallback.Sse;

/// <summary>
/// Finds where events end in a stream that arrives in arbitrary pieces. Line ends are LF, CRLF and CR, also mixed and
/// split between pieces (WHATWG HTML, 9.2.5 "Parsing an event stream"); JSON lines end with LF. Keeps no bytes, only where it
/// stands.
/// </summary>
internal struct EventFramer(StreamFraming framing)
{
    private readonly bool _lines = framing == StreamFraming.JsonLines;
    private bool _lineHasBytes;
    private bool _afterCr;
    private bool _eventEndedWithCr;

    /// <summary>Whether the last event ended with a CR whose LF, if there is one, is still to come.</summary>
    public readonly bool OwesLineFeed => _afterCr && _eventEndedWithCr;

    /// <summary>
    /// The number of bytes up to and with the first event end in <paramref name="input"/>, or -1 where the event goes on
    /// in the next piece. All of <paramref name="input"/> up to the returned end, or all of it, counts as seen.
    /// </summary>
    /// <remarks>
    /// An event whose blank line is a CR at the end of a piece is whole at once. If the next piece begins with the LF of that
    /// line end, the LF comes back as an event of its own without a line, so that it is passed on and means nothing.
    /// </remarks>
    public int FindEventEnd(ReadOnlySpan<byte> input)
    {
        if (_lines)
        {
            // Clients cut lines at LF alone; a CR in front of it, or anywhere else, is white space to JSON.
            return input.IndexOf((byte)'\n') + 1 is > 0 and var end ? end : -1;
        }

        var i = 0;
        if (_afterCr && input.Length > 0)
        {
            _afterCr = false;
            if (input[0] == (byte)'\n')
            {
                if (_eventEndedWithCr)
                {
                    return 1;
                }

                i = 1;
            }
        }

        while (i < input.Length)
        {
            var k = input[i..].IndexOfAny((byte)'\n', (byte)'\r');
            if (k < 0)
            {
                _lineHasBytes = true;
                return -1;
            }

            var eventEnds = k == 0 && !_lineHasBytes;
            _lineHasBytes = false;
            i += k + 1;
            if (input[i - 1] == (byte)'\r')
            {
                if (i == input.Length)
                {
                    _afterCr = true;
                    _eventEndedWithCr = eventEnds;
                }
                else if (input[i] == (byte)'\n')
                {
                    i++;
                }
            }

            if (eventEnds)
            {
                return i;
            }
        }

        return -1;
    }
}
