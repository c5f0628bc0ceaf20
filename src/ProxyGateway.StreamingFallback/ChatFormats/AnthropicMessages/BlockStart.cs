using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>Puts the block of a <c>content_block_start</c> into the ledger.</summary>
internal static class BlockStart
{
    /// <summary>All of <paramref name="json"/> that can be wrong is read before the ledger changes.</summary>
    public static EventMeaning Open(DeliveredMessage message, int index, ReadOnlySpan<byte> json, byte[] type)
    {
        var kind = DeliveredBlock.KindOf(type);
        switch (kind)
        {
            case BlockKind.Text:
                return OpenText(message, index, json, type);
            case BlockKind.Tool:
                return OpenTool(message, index, json, type);
            case BlockKind.Thinking:
                var thinks = EventMembers.HasText(EventMembers.RawString(json, "thinking"u8));
                message.Open(new DeliveredBlock(index, kind, type));
                return thinks ? EventMeaning.Content : EventMeaning.Lifecycle;
            case BlockKind.RedactedThinking:
                message.Open(new DeliveredBlock(index, kind, type));
                return EventMeaning.Content;
            case BlockKind.Compaction:
                return OpenWithText(message, new DeliveredBlock(index, kind, type), json, "content"u8);
            default:
                message.Open(new DeliveredBlock(index, kind, type) { Start = json.ToArray() });
                return EventMeaning.Content;
        }
    }

    private static EventMeaning OpenText(DeliveredMessage message, int index, ReadOnlySpan<byte> json, byte[] type)
    {
        var hasCitations = EventMembers.TryFind(json, "citations"u8, out var citations) && citations.TokenType == JsonTokenType.StartArray;
        var block = new DeliveredBlock(index, BlockKind.Text, type);
        var meaning = OpenWithText(message, block, json, "text"u8);
        while (hasCitations && citations.Read() && citations.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)citations.TokenStartIndex;
            citations.Skip();
            message.AddCitation(block, json[start..(int)citations.BytesConsumed]);
            meaning = EventMeaning.Content;
        }

        return meaning;
    }

    private static EventMeaning OpenWithText(DeliveredMessage message, DeliveredBlock block, ReadOnlySpan<byte> json, ReadOnlySpan<byte> member)
    {
        var text = EventMembers.RawString(json, member);
        message.Open(block);
        return message.Append(block, text);
    }

    private static EventMeaning OpenTool(DeliveredMessage message, int index, ReadOnlySpan<byte> json, byte[] type)
    {
        var id = EventMembers.GetUtf8(json, "id"u8);
        var input = EventMembers.Raw(json, "input"u8);
        if (EventMembers.GetUtf8(json, "name"u8) is not { Length: > 0 } name)
        {
            return EventMeaning.Malformed;
        }

        var isEmpty = input.IsEmpty || input.SequenceEqual("null"u8) || input[1..].TrimStart(" \t\r\n"u8).StartsWith((byte)'}');
        message.Open(new DeliveredBlock(index, BlockKind.Tool, type) { Id = id, Name = name, StartInput = isEmpty ? [] : input.ToArray() });
        return EventMeaning.Content;
    }
}
