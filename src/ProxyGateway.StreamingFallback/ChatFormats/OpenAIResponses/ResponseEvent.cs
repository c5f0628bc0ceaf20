using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>
/// One event's top members: numbers as values, everything else as the place where it stands. Nothing is kept or copied,
/// so an event that turns out bad in its last byte has changed nothing.
/// </summary>
internal ref struct ResponseEvent
{
    private const int MaxEscapedName = 128;

    private ReadOnlySpan<byte> _json;
    private int _seen;
    private bool _hasError;

    public ResponseEventKind Kind { get; private set; }

    /// <summary>-1 where the event has none.</summary>
    public long SequenceNumber { get; private set; }

    /// <summary>-1 where the event has none.</summary>
    public int OutputIndex { get; private set; }

    /// <summary><c>content_index</c> or <c>summary_index</c>; -1 where the event has neither.</summary>
    public int PartIndex { get; private set; }

    public Range Delta { get; private set; }

    /// <summary>The whole text of a <c>.done</c> event: <c>text</c>, <c>refusal</c>, <c>arguments</c> or <c>input</c>.</summary>
    public Range Text { get; private set; }

    public Range Item { get; private set; }

    public Range Part { get; private set; }

    public Range Annotation { get; private set; }

    public Range Response { get; private set; }

    private enum Member
    {
        Unread,
        Type,
        SequenceNumber,
        OutputIndex,
        ContentIndex,
        SummaryIndex,
        Delta,
        Text,
        Refusal,
        Arguments,
        Input,
        Item,
        Part,
        Annotation,
        Response,
        Error,
    }

    /// <summary>Reads <paramref name="json"/>; false where it is no event. Throws <see cref="JsonException"/> where it is no JSON.</summary>
    /// <param name="json">The event's data.</param>
    /// <param name="eventName">The value of the <c>event:</c> line, which counts where the data names no type.</param>
    /// <param name="e">The event.</param>
    public static bool TryRead(ReadOnlySpan<byte> json, ReadOnlySpan<byte> eventName, out ResponseEvent e)
    {
        var read = new ResponseEvent { SequenceNumber = -1, OutputIndex = -1, PartIndex = -1, _json = json };
        e = read;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            read.Take(ref reader);
        }

        reader.Read(); // Throws where anything follows the object.
        var typed = (read._seen & (1 << (int)Member.Type)) != 0;
        if (!typed)
        {
            read.Kind = ResponseEventKinds.Find(eventName);
        }

        if (read.Kind == ResponseEventKind.Foreign && read._hasError)
        {
            // An error object as servers of other formats and intermediaries write it in mid-stream.
            read.Kind = ResponseEventKind.Failed;
        }

        e = read;
        return typed || !eventName.IsEmpty || read._hasError;
    }

    public readonly ReadOnlySpan<byte> Bytes(Range range) => _json[range];

    public static bool Has(Range range) => !range.Equals(default);

    /// <summary>A reader that stands on the value at <paramref name="range"/>.</summary>
    public readonly Utf8JsonReader At(Range range)
    {
        var reader = new Utf8JsonReader(_json[range]);
        reader.Read();
        return reader;
    }

    private void Take(scoped ref Utf8JsonReader reader)
    {
        var member = Name(ref reader);
        reader.Read();
        if (member == Member.Unread)
        {
            reader.Skip();
            return;
        }

        // Readers disagree on which of two equal members counts (RFC 8259, section 4), so such an event is malformed.
        if ((_seen & (1 << (int)member)) != 0)
        {
            throw new JsonException();
        }

        _seen |= 1 << (int)member;
        switch (member)
        {
            case Member.Type:
                Kind = KindAt(ref reader);
                return;
            case Member.SequenceNumber:
                SequenceNumber = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : -1;
                reader.Skip();
                return;
            case Member.OutputIndex:
                OutputIndex = Index(ref reader);
                return;
            case Member.ContentIndex or Member.SummaryIndex:
                PartIndex = Index(ref reader);
                return;
            case Member.Error:
                _hasError = reader.TokenType != JsonTokenType.Null;
                reader.Skip();
                return;
        }

        var range = Value(ref reader);
        switch (member)
        {
            case Member.Delta:
                Delta = range;
                break;
            case Member.Item:
                Item = range;
                break;
            case Member.Part:
                Part = range;
                break;
            case Member.Annotation:
                Annotation = range;
                break;
            case Member.Response:
                Response = range;
                break;
            default:
                // One event has one of the four; two would leave open which is its text.
                Text = Has(Text) ? throw new JsonException() : range;
                break;
        }
    }

    private static Member Name(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return NameOf(reader.ValueSpan);
        }

        if (reader.ValueSpan.Length > MaxEscapedName)
        {
            return Member.Unread;
        }

        Span<byte> name = stackalloc byte[MaxEscapedName];
        return NameOf(name[..reader.CopyString(name)]);
    }

    private static Member NameOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 => name.SequenceEqual("type"u8) ? Member.Type
            : name.SequenceEqual("text"u8) ? Member.Text
            : name.SequenceEqual("item"u8) ? Member.Item
            : name.SequenceEqual("part"u8) ? Member.Part
            : Member.Unread,
        5 => name.SequenceEqual("delta"u8) ? Member.Delta
            : name.SequenceEqual("input"u8) ? Member.Input
            : name.SequenceEqual("error"u8) ? Member.Error
            : Member.Unread,
        7 => name.SequenceEqual("refusal"u8) ? Member.Refusal : Member.Unread,
        8 => name.SequenceEqual("response"u8) ? Member.Response : Member.Unread,
        9 => name.SequenceEqual("arguments"u8) ? Member.Arguments : Member.Unread,
        10 => name.SequenceEqual("annotation"u8) ? Member.Annotation : Member.Unread,
        12 => name.SequenceEqual("output_index"u8) ? Member.OutputIndex : Member.Unread,
        13 => name.SequenceEqual("content_index"u8) ? Member.ContentIndex
            : name.SequenceEqual("summary_index"u8) ? Member.SummaryIndex
            : Member.Unread,
        15 => name.SequenceEqual("sequence_number"u8) ? Member.SequenceNumber : Member.Unread,
        _ => Member.Unread,
    };

    private static ResponseEventKind KindAt(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException();
        }

        if (!reader.ValueIsEscaped)
        {
            return ResponseEventKinds.Find(reader.ValueSpan);
        }

        if (reader.ValueSpan.Length > MaxEscapedName)
        {
            return ResponseEventKind.Other;
        }

        Span<byte> type = stackalloc byte[MaxEscapedName];
        return ResponseEventKinds.Find(type[..reader.CopyString(type)]);
    }

    private static int Index(ref Utf8JsonReader reader)
    {
        var index = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var value) && value >= 0 ? value : -1;
        reader.Skip();
        return index;
    }

    private static Range Value(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return start..(int)reader.BytesConsumed;
    }
}
