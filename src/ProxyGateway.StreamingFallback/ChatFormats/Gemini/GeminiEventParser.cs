using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>Reads one event into the reader's candidates. A struct on the stack: nothing is allocated for text.</summary>
internal ref struct GeminiEventParser(GeminiReader owner, ReadOnlySpan<byte> json)
{
    /// <summary>Longer values are not an identity but an attempt to make the gateway keep something.</summary>
    private const int MaxIdentityBytes = 1024;

    private readonly ReadOnlySpan<byte> _json = json;
    private bool _content;
    private bool _finish;
    private Range _plainText;
    private Range _usage;
    private PooledBuffer? _plainChannel;
    private bool _notOnePlainText;

    /// <summary>Whether the prompt was refused: then no candidate comes.</summary>
    public bool Blocked { get; private set; }

    public ReadOnlySpan<byte> ResponseId { get; private set; }

    public ReadOnlySpan<byte> ModelVersion { get; private set; }

    public EventMeaning Parse()
    {
        var reader = new Utf8JsonReader(_json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return EventMeaning.Malformed;
        }

        var seen = 0;
        var isError = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("candidates"u8))
            {
                Members.OnlyOnce(ref seen, 1);
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartArray)
                {
                    while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                    {
                        ParseCandidate(ref reader);
                    }
                }
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                Members.OnlyOnce(ref seen, 2);
                reader.Read();
                isError = reader.TokenType != JsonTokenType.Null;
            }
            else if (reader.ValueTextEquals("promptFeedback"u8))
            {
                Members.OnlyOnce(ref seen, 4);
                reader.Read();
                Blocked = reader.TokenType == JsonTokenType.StartObject
                    && Members.TryFind(reader, "blockReason"u8, out var reason) && IsReason(reason);
            }
            else if (reader.ValueTextEquals("responseId"u8))
            {
                Members.OnlyOnce(ref seen, 8);
                ResponseId = TakeIdentity(ref reader);
            }
            else if (reader.ValueTextEquals("modelVersion"u8))
            {
                Members.OnlyOnce(ref seen, 16);
                ModelVersion = TakeIdentity(ref reader);
            }
            else if (reader.ValueTextEquals("usageMetadata"u8))
            {
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                _usage = start..(int)reader.BytesConsumed;
            }
            else
            {
                reader.Read();
            }

            reader.Skip();
        }

        Members.AssertEnd(ref reader);
        if (isError)
        {
            return EventMeaning.Error;
        }

        return (_content ? EventMeaning.Content : 0) | (_finish || Blocked ? EventMeaning.Finish : 0);
    }

    /// <summary>Remembers the event's shape where one plain text is all its output. The counts of tokens, which grow with each event, mean nothing here.</summary>
    public readonly void Learn(TextPattern pattern)
    {
        if (_plainChannel is not null && !_notOnePlainText)
        {
            pattern.Learn(_json, _plainText, _plainChannel, _usage);
        }
    }

    /// <summary>Whether a reason is given; the enumeration's zero value says that none is.</summary>
    private static bool IsReason(in Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0
        && !reader.ValueTextEquals("FINISH_REASON_UNSPECIFIED"u8) && !reader.ValueTextEquals("BLOCK_REASON_UNSPECIFIED"u8);

    private readonly ReadOnlySpan<byte> TakeIdentity(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.String)
        {
            return default;
        }

        var value = Members.TakeRaw(ref reader, _json);
        return value.Length <= MaxIdentityBytes ? value : default;
    }

    private void ParseCandidate(ref Utf8JsonReader reader)
    {
        // The index may stand after the content, so it is looked up first.
        var index = Members.TryFind(reader, "index"u8, out var value) && value.TokenType == JsonTokenType.Number ? value.GetInt32() : 0;
        var candidate = owner.Candidate(index);
        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("content"u8))
            {
                Members.OnlyOnce(ref seen, 1);
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    ParseContent(ref reader, candidate);
                }
            }
            else if (reader.ValueTextEquals("finishReason"u8))
            {
                Members.OnlyOnce(ref seen, 2);
                reader.Read();
                candidate.Finished |= IsReason(reader);
                _finish |= IsReason(reader);
            }
            else
            {
                reader.Read();
            }

            reader.Skip();
        }
    }

    private void ParseContent(ref Utf8JsonReader reader, DeliveredCandidate candidate)
    {
        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isParts = reader.ValueTextEquals("parts"u8);
            reader.Read();
            if (isParts)
            {
                Members.OnlyOnce(ref seen, 1);
                if (reader.TokenType == JsonTokenType.StartArray)
                {
                    while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                    {
                        ParsePart(ref reader, candidate);
                    }
                }
            }

            reader.Skip();
        }
    }

    private void ParsePart(ref Utf8JsonReader reader, DeliveredCandidate candidate)
    {
        // A part's kind may be told after its text.
        Utf8JsonReader text = default;
        var (seen, thought, signature) = (0, false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("text"u8))
            {
                Members.OnlyOnce(ref seen, 1);
                reader.Read();
                text = reader;
            }
            else if (reader.ValueTextEquals("thought"u8))
            {
                Members.OnlyOnce(ref seen, 2);
                reader.Read();
                thought = reader.TokenType == JsonTokenType.True;
            }
            else if (reader.ValueTextEquals("thoughtSignature"u8))
            {
                reader.Read();
                signature = reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0;
                _notOnePlainText = true;
            }
            else if (reader.ValueTextEquals("functionCall"u8))
            {
                Members.OnlyOnce(ref seen, 4);
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    ParseCall(ref reader, candidate);
                }
            }
            else
            {
                var isAside = reader.ValueTextEquals("partMetadata"u8) || reader.ValueTextEquals("videoMetadata"u8) || reader.ValueTextEquals("mediaResolution"u8);
                reader.Read();
                if (!isAside && reader.TokenType == JsonTokenType.StartObject)
                {
                    _content = _notOnePlainText = true;
                    owner.Kept.SetIncomparable();
                    candidate.Blocks.Add(new DeliveredBlock(BlockKind.Other));
                }
            }

            reader.Skip();
        }

        if (text.TokenType == JsonTokenType.String && text.ValueSpan.Length > 0)
        {
            _content = true;
            _notOnePlainText |= _plainChannel is not null || text.ValueIsEscaped;
            _plainChannel = candidate.Text(thought ? BlockKind.Thought : BlockKind.Text);
            var start = (int)text.TokenStartIndex + 1;
            _plainText = start..(start + text.ValueSpan.Length);
            owner.Kept.Append(ref text, _plainChannel);
        }

        if (signature && candidate.Blocks.Count > 0)
        {
            candidate.Blocks[^1].HasSignature = true;
        }
    }

    private void ParseCall(ref Utf8JsonReader reader, DeliveredCandidate candidate)
    {
        _content = _notOnePlainText = true;
        var goesOn = Members.TryFind(reader, "willContinue"u8, out var value) && value.TokenType == JsonTokenType.True;
        var inPieces = goesOn || candidate.CallIsOpen || Members.TryFind(reader, "partialArgs"u8, out _);
        var isNew = !candidate.CallIsOpen;
        candidate.CallIsOpen = goesOn;
        if (inPieces)
        {
            // Pieces name paths in the arguments; there is no prefix that could be compared.
            owner.Kept.SetIncomparable();
        }

        if (isNew)
        {
            var call = inPieces ? null : owner.Kept.Keep(Members.TakeRaw(ref reader, _json));
            candidate.Blocks.Add(new DeliveredBlock(BlockKind.FunctionCall) { Call = call });
        }
    }
}
