using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>
/// Walks the members of one JSON object (a request body) without a DOM and tells where each stands in the bytes, so that
/// a body can be changed in place. Every byte is checked as JSON once <see cref="Next"/> has returned false.
/// </summary>
internal ref struct MemberReader
{
    private readonly ReadOnlySpan<byte> _json;
    private Utf8JsonReader _next;
    private Utf8JsonReader _name;
    private int _nameStart;
    private bool _started;

    /// <param name="json">The body; a byte order mark must already be gone.</param>
    public MemberReader(ReadOnlySpan<byte> json)
    {
        _json = json;
        _next = new Utf8JsonReader(json);
    }

    /// <summary>What is wrong with the bytes, in words that hold no part of them; null while nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>A reader that stands on the member's value. Copy it to read on.</summary>
    public Utf8JsonReader Value;

    /// <summary>Where the value stands.</summary>
    public Range ValueRange { get; private set; }

    /// <summary>Where the first member could be written: right after the object's brace.</summary>
    public int ObjectStart { get; private set; }

    /// <summary>Whether the object has a member at all.</summary>
    public bool HasMembers { get; private set; }

    public readonly bool NameIs(ReadOnlySpan<byte> name) => _name.ValueTextEquals(name);

    public bool Next()
    {
        if (Problem is not null)
        {
            return false;
        }

        try
        {
            if (!_started)
            {
                _started = true;
                if (!_next.Read() || _next.TokenType != JsonTokenType.StartObject)
                {
                    Problem = "The request body must be a JSON object.";
                    return false;
                }

                ObjectStart = (int)_next.BytesConsumed;
            }

            _next.Read();
            if (_next.TokenType == JsonTokenType.EndObject)
            {
                _next.Read(); // Throws where anything but white space follows.
                return false;
            }

            HasMembers = true;
            if (!JsonText.IsComparable(ref _next))
            {
                Problem = "A name in the request body is no text: it holds half a surrogate pair, or bytes that are no UTF-8.";
                return false;
            }

            _name = _next;
            _nameStart = (int)_next.TokenStartIndex;
            _next.Read();
            Value = _next;
            var start = (int)_next.TokenStartIndex;
            _next.Skip();
            ValueRange = start..(int)_next.BytesConsumed;
            return true;
        }
        catch (JsonException e)
        {
            Problem = $"The request body is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}).";
            return false;
        }
    }

    /// <summary>The whole member with one adjoining comma, so that cutting it out leaves a valid object.</summary>
    public readonly Range MemberRange()
    {
        var (start, end) = (_nameStart, ValueRange.End.Value);
        var after = end;
        while (after < _json.Length && IsWhiteSpace(_json[after]))
        {
            after++;
        }

        if (after < _json.Length && _json[after] == (byte)',')
        {
            return start..(after + 1);
        }

        var before = start;
        while (before > 0 && IsWhiteSpace(_json[before - 1]))
        {
            before--;
        }

        return before > 0 && _json[before - 1] == (byte)',' ? (before - 1)..end : start..end;
    }

    private static bool IsWhiteSpace(byte b) => b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';
}
