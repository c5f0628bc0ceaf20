using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <content>Strings, which may be cut inside an escape.</content>
internal ref partial struct ToolInputContinuation
{
    /// <summary>What follows the backslash of a short escape, and what each means.</summary>
    private const string Letters = "\"\\/bfnrt";
    private const string Escaped = "\"\\/\b\f\n\r\t";

    /// <summary>The rest of a string after its opening quote.</summary>
    private Match String(string whole)
    {
        var k = 0;
        Span<char> buffer = stackalloc char[2];
        while (!AtEnd)
        {
            var b = _text[_position];
            if (b == (byte)'"')
            {
                _position++;
                return k == whole.Length ? Match.Whole : Match.None;
            }

            if (k == whole.Length)
            {
                return Match.None;
            }

            if (b == (byte)'\\')
            {
                if (!Escape(whole[k++], out var cut))
                {
                    return Match.None;
                }

                if (cut)
                {
                    break;
                }

                continue;
            }

            Rune.DecodeFromUtf8(_text[_position..], out var rune, out var length);
            var units = buffer[..rune.EncodeToUtf16(buffer)];
            if (b < 0x20 || !whole.AsSpan(k).StartsWith(units))
            {
                return Match.None;
            }

            _position += length;
            k += units.Length;
        }

        EndString(whole.AsSpan(k));
        return Match.Ended;
    }

    /// <summary>One escape that must mean <paramref name="unit"/>. Where the text is cut inside it, what it lacks is written.</summary>
    private bool Escape(char unit, out bool cut)
    {
        cut = false;
        var hex = Hex(unit);
        if (_position + 1 >= _text.Length)
        {
            cut = true;
            _position = _text.Length;
            var letter = Escaped.IndexOf(unit, StringComparison.Ordinal);
            _rest.Append(letter >= 0 ? [(byte)Letters[letter]] : Encoding.ASCII.GetBytes("u" + hex));
            return true;
        }

        var kind = (char)_text[_position + 1];
        if (kind != 'u')
        {
            _position += 2;
            var letter = Letters.IndexOf(kind, StringComparison.Ordinal);
            return letter >= 0 && Escaped[letter] == unit;
        }

        var digits = _text[(_position + 2)..Math.Min(_position + 6, _text.Length)];
        _position += 2 + digits.Length;
        for (var i = 0; i < digits.Length; i++)
        {
            if (char.ToLowerInvariant((char)digits[i]) != hex[i])
            {
                return false;
            }
        }

        cut = digits.Length < hex.Length;
        if (cut)
        {
            _rest.Append(Encoding.ASCII.GetBytes(hex[digits.Length..]));
        }

        return true;
    }

    private readonly void EndString(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && char.IsLowSurrogate(rest[0]))
        {
            // The first half went out as an escape, so the second must be one too.
            _rest.Append(Encoding.ASCII.GetBytes("\\u" + Hex(rest[0])));
            rest = rest[1..];
        }

        _rest.Append(JsonEncodedText.Encode(rest, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        _rest.Append((byte)'"');
    }

    private static string Hex(char unit) => ((int)unit).ToString("x4", CultureInfo.InvariantCulture);
}
