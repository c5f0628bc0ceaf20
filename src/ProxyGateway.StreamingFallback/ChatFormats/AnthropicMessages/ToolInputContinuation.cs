using System.Runtime.InteropServices;
using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>
/// Finds what must follow the delivered beginning of a call's input, so that both together are the replay's input.
/// The stream has the input as text, the answer as an object: white space, escapes and the order of members may differ,
/// so the beginning is read token by token against the value.
/// </summary>
internal ref partial struct ToolInputContinuation
{
    /// <summary>Members are looked up by trying, which takes the square of their number; a larger object is not joined.</summary>
    private const int MaxMembers = 4096;

    private readonly ReadOnlySpan<byte> _text;
    private readonly PooledBuffer _rest;
    private int _position;

    private ToolInputContinuation(ReadOnlySpan<byte> text, PooledBuffer rest)
    {
        _text = text;
        _rest = rest;
    }

    private enum Match
    {
        /// <summary>The text holds the whole value.</summary>
        Whole,

        /// <summary>The text ended inside the value; what it lacks was written.</summary>
        Ended,

        /// <summary>The text is not the beginning of the value.</summary>
        None,
    }

    private readonly bool AtEnd => _position >= _text.Length;

    /// <summary>The rest of <paramref name="whole"/> after <paramref name="delivered"/>; null where there is none that agrees.</summary>
    public static byte[]? Rest(ReadOnlySpan<byte> delivered, JsonElement whole)
    {
        var raw = JsonMarshal.GetRawUtf8Value(whole);
        if (raw.StartsWith(delivered))
        {
            return raw[delivered.Length..].ToArray();
        }

        using var joined = new PooledBuffer();
        joined.Append(delivered);
        try
        {
            var walk = new ToolInputContinuation(delivered, joined);
            var match = walk.Value(whole);
            walk.SkipWhiteSpace();
            // The joined text is read once more: what is sent is right by its result, not by the walk.
            return match != Match.None && walk.AtEnd && IsSame(joined.Memory, whole) ? joined.Span[delivered.Length..].ToArray() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Half a surrogate pair.
        }
    }

    /// <summary>Whether <paramref name="json"/> is the same value: numbers by value, members in any order.</summary>
    public static bool IsSame(ReadOnlyMemory<byte> json, JsonElement whole)
    {
        try
        {
            using var document = JsonDocument.Parse(json, JsonText.AnswerOptions);
            return JsonElement.DeepEquals(document.RootElement, whole);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private Match Value(JsonElement whole)
    {
        SkipWhiteSpace();
        if (AtEnd)
        {
            _rest.Append(JsonMarshal.GetRawUtf8Value(whole));
            return Match.Ended;
        }

        return whole.ValueKind switch
        {
            JsonValueKind.Object => Object(whole),
            JsonValueKind.Array => Array(whole),
            JsonValueKind.String => Take((byte)'"') ? String(whole.GetString()!) : Match.None,
            JsonValueKind.Number => Number(whole),
            _ => Literal(JsonMarshal.GetRawUtf8Value(whole)),
        };
    }

    private Match Object(JsonElement whole)
    {
        if (!Take((byte)'{'))
        {
            return Match.None;
        }

        var members = whole.EnumerateObject().ToList();
        if (members.Count > MaxMembers)
        {
            return Match.None;
        }

        for (var first = true; ; first = false)
        {
            SkipWhiteSpace();
            if (AtEnd)
            {
                return EndObject(members, comma: !first);
            }

            if (Take((byte)'}'))
            {
                return members.Count == 0 ? Match.Whole : Match.None;
            }

            if (!first)
            {
                if (!Take((byte)',') || members.Count == 0)
                {
                    return Match.None;
                }

                SkipWhiteSpace();
                if (AtEnd)
                {
                    return EndObject(members, comma: false);
                }
            }

            var match = Member(members);
            if (match != Match.Whole)
            {
                return match == Match.Ended ? EndObject(members, comma: true) : match;
            }
        }
    }

    /// <summary>One name and its value; the member is taken out of <paramref name="members"/>.</summary>
    private Match Member(List<JsonProperty> members)
    {
        if (!Take((byte)'"'))
        {
            return Match.None;
        }

        var start = _position;
        for (var i = 0; i < members.Count; i++)
        {
            _position = start;
            var match = String(members[i].Name);
            if (match == Match.None)
            {
                continue;
            }

            var value = members[i].Value;
            members.RemoveAt(i);
            SkipWhiteSpace();
            if (match == Match.Ended || AtEnd)
            {
                _rest.Append((byte)':');
                _rest.Append(JsonMarshal.GetRawUtf8Value(value));
                return Match.Ended;
            }

            return Take((byte)':') ? Value(value) : Match.None;
        }

        return Match.None;
    }

    private readonly Match EndObject(List<JsonProperty> members, bool comma)
    {
        foreach (var member in members)
        {
            if (comma)
            {
                _rest.Append((byte)',');
            }

            comma = true;
            _rest.Append(BodyEdits.Quote(member.Name));
            _rest.Append((byte)':');
            _rest.Append(JsonMarshal.GetRawUtf8Value(member.Value));
        }

        _rest.Append((byte)'}');
        return Match.Ended;
    }

    private Match Array(JsonElement whole)
    {
        if (!Take((byte)'['))
        {
            return Match.None;
        }

        var items = whole.EnumerateArray().ToList();
        for (var i = 0; ; i++)
        {
            SkipWhiteSpace();
            if (AtEnd)
            {
                return EndArray(items, i, comma: i > 0);
            }

            if (Take((byte)']'))
            {
                return i == items.Count ? Match.Whole : Match.None;
            }

            if (i == items.Count || (i > 0 && !Take((byte)',')))
            {
                return Match.None;
            }

            var match = Value(items[i]);
            if (match != Match.Whole)
            {
                return match == Match.Ended ? EndArray(items, i + 1, comma: true) : match;
            }
        }
    }

    private readonly Match EndArray(List<JsonElement> items, int from, bool comma)
    {
        for (var i = from; i < items.Count; i++)
        {
            if (comma)
            {
                _rest.Append((byte)',');
            }

            comma = true;
            _rest.Append(JsonMarshal.GetRawUtf8Value(items[i]));
        }

        _rest.Append((byte)']');
        return Match.Ended;
    }

    private Match Number(JsonElement whole)
    {
        var length = _text[_position..].IndexOfAnyExcept("0123456789+-.eE"u8);
        var token = length < 0 ? _text[_position..] : _text.Slice(_position, length);
        _position += token.Length;
        var raw = JsonMarshal.GetRawUtf8Value(whole);
        if (length < 0 && raw.StartsWith(token))
        {
            _rest.Append(raw[token.Length..]);
            return Match.Ended;
        }

        return !IsSame(token.ToArray(), whole) ? Match.None : length < 0 ? Match.Ended : Match.Whole;
    }

    private Match Literal(ReadOnlySpan<byte> whole)
    {
        var text = _text[_position..];
        if (text.StartsWith(whole))
        {
            _position += whole.Length;
            return Match.Whole;
        }

        if (!whole.StartsWith(text))
        {
            return Match.None;
        }

        _position = _text.Length;
        _rest.Append(whole[text.Length..]);
        return Match.Ended;
    }

    private bool Take(byte expected)
    {
        if (AtEnd || _text[_position] != expected)
        {
            return false;
        }

        _position++;
        return true;
    }

    private void SkipWhiteSpace()
    {
        while (!AtEnd && _text[_position] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            _position++;
        }
    }
}
