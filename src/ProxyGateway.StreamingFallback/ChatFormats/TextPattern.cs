using System.Buffers;
using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>
/// What an event that carries nothing but text looks like around the text. The events of an answer mostly differ in that alone,
/// and such an event need not be parsed again: it is the JSON that was parsed before, with another plain string in one place, and
/// other digits where only digits of no interest stood.
/// </summary>
internal sealed class TextPattern
{
    /// <summary>Longer events are rare, and what is learnt is copied.</summary>
    private const int MaxBytes = 2048;

    /// <summary>An event that is this much longer than any before (a counter has grown) takes no new array.</summary>
    private const int Spare = 16;

    /// <summary>What a JSON string may not hold, or not mean literally.</summary>
    private static readonly SearchValues<byte> NotPlain = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    private byte[] _array = [];
    private int _length;
    private int _textAt;
    private Range _counters;
    private PooledBuffer? _channel;

    /// <summary>Takes over the shape of an event that was read and accepted. Its text must be a JSON string without escapes.</summary>
    /// <param name="json">The whole event.</param>
    /// <param name="text">Where the text stands in it, quotes excluded.</param>
    /// <param name="channel">What the text was appended to.</param>
    /// <param name="counters">
    /// Where, behind the text, a value stands whose numbers mean nothing to the reader, whatever they are; empty for none.
    /// </param>
    public void Learn(ReadOnlySpan<byte> json, Range text, PooledBuffer channel, Range counters = default)
    {
        if (json.Length > MaxBytes)
        {
            return;
        }

        var (start, end) = (text.Start.Value, text.End.Value);
        _length = json.Length - (end - start);
        if (_array.Length < _length)
        {
            // No longer than it must be, and a little: an open stream holds it to its end, and one from the pool would be twice as long.
            _array = new byte[_length + Spare];
        }

        json[..start].CopyTo(_array);
        json[end..].CopyTo(_array.AsSpan(start));
        _textAt = start;
        _channel = channel;
        _counters = counters.Start.Value >= end ? (counters.Start.Value - (end - start))..(counters.End.Value - (end - start)) : default;
    }

    /// <summary>Something else happened than more of the same text: what was learnt may mean something else now.</summary>
    public void Forget() => _channel = null;

    /// <summary>Whether <paramref name="json"/> is what was learnt but for its text and its counters.</summary>
    public bool Matches(ReadOnlySpan<byte> json, out ReadOnlySpan<byte> text, out PooledBuffer channel)
    {
        text = default;
        channel = _channel!;
        ReadOnlySpan<byte> around = _array.AsSpan(0, _length);
        if (_channel is null || !json.StartsWith(around[.._textAt]))
        {
            return false;
        }

        if (_counters.End.Value > 0)
        {
            return MatchesWithCounters(json, around, out text);
        }

        if (json.Length <= around.Length || !json.EndsWith(around[_textAt..]))
        {
            return false;
        }

        text = json.Slice(_textAt, json.Length - around.Length);
        return !text.ContainsAny(NotPlain);
    }

    private bool MatchesWithCounters(ReadOnlySpan<byte> json, ReadOnlySpan<byte> around, out ReadOnlySpan<byte> text)
    {
        var rest = json[_textAt..];
        var length = rest.IndexOfAny(NotPlain);
        text = length > 0 ? rest[..length] : default;
        if (length <= 0)
        {
            return false;
        }

        rest = rest[length..];
        var between = around[_textAt.._counters.Start.Value];
        var behind = around[_counters.End.Value..];
        return rest.Length >= between.Length + behind.Length
            && rest.StartsWith(between)
            && rest.EndsWith(behind)
            && IsSameButForDigits(rest[between.Length..^behind.Length], around[_counters]);
    }

    /// <summary>Whether two pieces of JSON differ in nothing but whole numbers without a sign.</summary>
    private static bool IsSameButForDigits(ReadOnlySpan<byte> json, ReadOnlySpan<byte> known)
    {
        while (true)
        {
            var same = json.CommonPrefixLength(known);
            if (same == json.Length && same == known.Length)
            {
                return true;
            }

            // Back to where the number begins in which they part, which must be a number of its own in both.
            while (same > 0 && char.IsAsciiDigit((char)known[same - 1]))
            {
                same--;
            }

            if (same == 0 || known[same - 1] is not ((byte)':' or (byte)',' or (byte)'[' or (byte)' '))
            {
                return false;
            }

            json = json[same..];
            known = known[same..];
            if (!TrySkipNumber(ref json) || !TrySkipNumber(ref known))
            {
                return false;
            }
        }
    }

    private static bool TrySkipNumber(ref ReadOnlySpan<byte> json)
    {
        var digits = json.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits <= 0 || (digits > 1 && json[0] == (byte)'0') || json[digits] is not ((byte)',' or (byte)'}' or (byte)']' or (byte)' ' or (byte)'\n' or (byte)'\r'))
        {
            return false;
        }

        json = json[digits..];
        return true;
    }
}
