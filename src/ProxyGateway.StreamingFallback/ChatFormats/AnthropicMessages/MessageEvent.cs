using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>The events of a message stream. The names after <see cref="Error"/> are the message's own grammar.</summary>
internal enum MessageEventName
{
    None,
    Unknown,
    Ping,
    Error,
    MessageStart,
    BlockStart,
    BlockDelta,
    BlockStop,
    MessageDelta,
    MessageStop,
}

/// <summary>The deltas of a content block.</summary>
internal enum BlockDeltaType
{
    None,
    Unknown,
    Text,
    InputJson,
    Thinking,
    Signature,
    Citations,
    Compaction,
}

/// <summary>The envelope of one event: what it is, and where its parts stand. Read in one pass, for it is read for every event.</summary>
internal ref struct MessageEvent
{
    /// <summary>What the data says it is; <see cref="MessageEventName.None"/> where it does not say.</summary>
    public MessageEventName Name { get; private set; }

    /// <summary>The block's index, or -1.</summary>
    public int Index { get; private set; }

    /// <summary>The objects <c>delta</c>, <c>content_block</c> and <c>message</c> as raw JSON; empty where absent or no object.</summary>
    public ReadOnlySpan<byte> Delta { get; private set; }

    public ReadOnlySpan<byte> ContentBlock { get; private set; }

    public ReadOnlySpan<byte> Message { get; private set; }

    /// <summary>What the delta says it is; <see cref="BlockDeltaType.None"/> where it does not say.</summary>
    public BlockDeltaType DeltaType { get; private set; }

    /// <summary>The members of the delta that ordinary events carry, as JSON strings with their quotes; empty where absent or no string.</summary>
    public ReadOnlySpan<byte> Text { get; private set; }

    public ReadOnlySpan<byte> PartialJson { get; private set; }

    public ReadOnlySpan<byte> Thinking { get; private set; }

    /// <summary>Whether there is an <c>error</c> that is not null.</summary>
    public bool HasError { get; private set; }

    /// <exception cref="JsonException">No JSON object, or a member that is read stands twice.</exception>
    public static MessageEvent Parse(ReadOnlySpan<byte> json)
    {
        var e = new MessageEvent { Index = -1 };
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                Members.OnlyOnce(ref seen, 1);
                reader.Read();
                e.Name = reader.TokenType == JsonTokenType.String ? NameOf(ref reader) : MessageEventName.Unknown;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("index"u8))
            {
                Members.OnlyOnce(ref seen, 2);
                reader.Read();
                e.Index = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var index) ? index : -1;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("delta"u8))
            {
                Members.OnlyOnce(ref seen, 4);
                e.TakeDelta(ref reader, json);
            }
            else if (reader.ValueTextEquals("content_block"u8))
            {
                Members.OnlyOnce(ref seen, 8);
                e.ContentBlock = TakeObject(ref reader, json);
            }
            else if (reader.ValueTextEquals("message"u8))
            {
                Members.OnlyOnce(ref seen, 16);
                e.Message = TakeObject(ref reader, json);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                Members.OnlyOnce(ref seen, 32);
                reader.Read();
                e.HasError = reader.TokenType != JsonTokenType.Null;
                reader.Skip();
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        reader.Read(); // Throws where anything follows the object.
        return e;
    }

    /// <summary>The name on an <c>event:</c> line; <see cref="MessageEventName.None"/> where there is no such line.</summary>
    public static MessageEventName NameOf(ReadOnlySpan<byte> line) => line switch
    {
        [] => MessageEventName.None,
        _ when line.SequenceEqual("content_block_delta"u8) => MessageEventName.BlockDelta,
        _ when line.SequenceEqual("content_block_start"u8) => MessageEventName.BlockStart,
        _ when line.SequenceEqual("content_block_stop"u8) => MessageEventName.BlockStop,
        _ when line.SequenceEqual("message_start"u8) => MessageEventName.MessageStart,
        _ when line.SequenceEqual("message_delta"u8) => MessageEventName.MessageDelta,
        _ when line.SequenceEqual("message_stop"u8) => MessageEventName.MessageStop,
        _ when line.SequenceEqual("ping"u8) => MessageEventName.Ping,
        _ when line.SequenceEqual("error"u8) => MessageEventName.Error,
        _ => MessageEventName.Unknown,
    };

    /// <remarks>No name needs an escape; a server that writes one anyway is read the slow way.</remarks>
    private static MessageEventName NameOf(scoped ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan.IsEmpty ? MessageEventName.Unknown : NameOf(reader.ValueSpan);
        }

        return JsonText.GetStringOrNull(ref reader) is { Length: > 0 } name
            ? NameOf(System.Text.Encoding.UTF8.GetBytes(name))
            : MessageEventName.Unknown;
    }

    private void TakeDelta(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        var start = (int)reader.TokenStartIndex;
        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                Members.OnlyOnce(ref seen, 1);
                reader.Read();
                DeltaType = reader.TokenType == JsonTokenType.String ? TypeOf(ref reader) : BlockDeltaType.None;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("text"u8))
            {
                Members.OnlyOnce(ref seen, 2);
                Text = TakeString(ref reader, json);
            }
            else if (reader.ValueTextEquals("partial_json"u8))
            {
                Members.OnlyOnce(ref seen, 4);
                PartialJson = TakeString(ref reader, json);
            }
            else if (reader.ValueTextEquals("thinking"u8))
            {
                Members.OnlyOnce(ref seen, 8);
                Thinking = TakeString(ref reader, json);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        Delta = json[start..(int)reader.BytesConsumed];
    }

    private static BlockDeltaType TypeOf(scoped ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("text_delta"u8) ? BlockDeltaType.Text
        : reader.ValueTextEquals("input_json_delta"u8) ? BlockDeltaType.InputJson
        : reader.ValueTextEquals("thinking_delta"u8) ? BlockDeltaType.Thinking
        : reader.ValueTextEquals("signature_delta"u8) ? BlockDeltaType.Signature
        : reader.ValueTextEquals("citations_delta"u8) ? BlockDeltaType.Citations
        : reader.ValueTextEquals("compaction_delta"u8) ? BlockDeltaType.Compaction
        : BlockDeltaType.Unknown;

    private static ReadOnlySpan<byte> TakeString(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        var isString = reader.TokenType == JsonTokenType.String;
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return isString ? json[start..(int)reader.BytesConsumed] : default;
    }

    private static ReadOnlySpan<byte> TakeObject(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        var isObject = reader.TokenType == JsonTokenType.StartObject;
        reader.Skip();
        return isObject ? json[start..(int)reader.BytesConsumed] : default;
    }
}
