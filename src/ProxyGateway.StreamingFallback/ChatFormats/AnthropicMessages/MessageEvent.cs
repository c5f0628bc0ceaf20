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

/// <summary>The envelope of one event: what it is, and where its parts stand.</summary>
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
                EventMembers.OnlyOnce(ref seen, 1);
                reader.Read();
                e.Name = reader.TokenType == JsonTokenType.String ? NameOf(ref reader) : MessageEventName.Unknown;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("index"u8))
            {
                EventMembers.OnlyOnce(ref seen, 2);
                reader.Read();
                e.Index = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var index) ? index : -1;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("delta"u8))
            {
                EventMembers.OnlyOnce(ref seen, 4);
                e.Delta = TakeObject(ref reader, json);
            }
            else if (reader.ValueTextEquals("content_block"u8))
            {
                EventMembers.OnlyOnce(ref seen, 8);
                e.ContentBlock = TakeObject(ref reader, json);
            }
            else if (reader.ValueTextEquals("message"u8))
            {
                EventMembers.OnlyOnce(ref seen, 16);
                e.Message = TakeObject(ref reader, json);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                EventMembers.OnlyOnce(ref seen, 32);
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

    private static ReadOnlySpan<byte> TakeObject(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        var isObject = reader.TokenType == JsonTokenType.StartObject;
        reader.Skip();
        return isObject ? json[start..(int)reader.BytesConsumed] : default;
    }
}
