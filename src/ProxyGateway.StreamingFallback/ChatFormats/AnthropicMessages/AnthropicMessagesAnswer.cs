using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>A whole message, checked once so that what is made of it needs no further doubt.</summary>
internal sealed class AnthropicMessagesAnswer : IDisposable
{
    private readonly JsonDocument _document;

    private AnthropicMessagesAnswer(JsonDocument document, List<AnswerBlock> blocks)
    {
        _document = document;
        Blocks = blocks;
    }

    public JsonElement Root => _document.RootElement;

    public IReadOnlyList<AnswerBlock> Blocks { get; }

    /// <summary>Reads <paramref name="json"/>; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    public static AnswerVerdict Read(ReadOnlyMemory<byte> json, out AnthropicMessagesAnswer? answer)
    {
        answer = null;
        if (JsonText.TryParseAnswer(json) is not { } document)
        {
            return AnswerVerdict.Unusable;
        }

        var blocks = new List<AnswerBlock>();
        var verdict = ReadBlocks(document.RootElement, blocks);
        if (verdict == AnswerVerdict.Usable)
        {
            answer = new AnthropicMessagesAnswer(document, blocks);
        }
        else
        {
            document.Dispose();
        }

        return verdict;
    }

    public void Dispose() => _document.Dispose();

    private static AnswerVerdict ReadBlocks(JsonElement root, List<AnswerBlock> blocks)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return AnswerVerdict.Unusable;
        }

        var type = JsonText.GetUtf8(root, "type"u8);
        if ((root.TryGetProperty("error"u8, out var error) && error.ValueKind != JsonValueKind.Null) || "error"u8.SequenceEqual(type))
        {
            return AnswerVerdict.Error;
        }

        if ((type is not null && !"message"u8.SequenceEqual(type))
            || !root.TryGetProperty("content"u8, out var content)
            || content.ValueKind != JsonValueKind.Array
            || JsonText.GetUtf8(root, "stop_reason"u8) is not { Length: > 0 } stop
            || stop.AsSpan().SequenceEqual("error"u8))
        {
            return AnswerVerdict.Unusable;
        }

        foreach (var element in content.EnumerateArray())
        {
            if (AnswerBlock.Read(element) is not { } block)
            {
                return AnswerVerdict.Unusable;
            }

            blocks.Add(block);
        }

        // An answer without content is one: the API ends a turn so after a tool's result, and refuses so.
        return AnswerVerdict.Usable;
    }
}

/// <summary>One content block of a whole answer.</summary>
internal sealed record AnswerBlock(JsonElement Element, BlockKind Kind, byte[] Type)
{
    /// <summary>The text of a text block, of thinking or of a compaction.</summary>
    public byte[] Text { get; private init; } = [];

    /// <summary>The name of a call.</summary>
    public byte[] Name { get; private init; } = [];

    public byte[]? Id { get; private init; }

    /// <summary>The input of a call, an object.</summary>
    public JsonElement Input { get; private init; }

    public IReadOnlyList<JsonElement> Citations { get; private init; } = [];

    public bool IsReasoning => Kind is BlockKind.Thinking or BlockKind.RedactedThinking;

    /// <summary>Null where the block lacks what its type must have.</summary>
    public static AnswerBlock? Read(JsonElement element)
    {
        if (JsonText.GetUtf8(element, "type"u8) is not { Length: > 0 } type)
        {
            return null;
        }

        var block = new AnswerBlock(element, DeliveredBlock.KindOf(type), type);
        switch (block.Kind)
        {
            case BlockKind.Text:
                return JsonText.GetUtf8(element, "text"u8) is { } text ? block with { Text = text, Citations = ReadCitations(element) } : null;
            case BlockKind.Thinking:
                return JsonText.GetUtf8(element, "thinking"u8) is { } thinking ? block with { Text = thinking } : null;
            case BlockKind.Compaction:
                return block with { Text = JsonText.GetUtf8(element, "content"u8) ?? [] };
            case BlockKind.Tool:
                return JsonText.GetUtf8(element, "name"u8) is { Length: > 0 } name
                    && element.TryGetProperty("input"u8, out var input) && input.ValueKind == JsonValueKind.Object
                        ? block with { Name = name, Id = JsonText.GetUtf8(element, "id"u8), Input = input }
                        : null;
            default:
                return block;
        }
    }

    private static IReadOnlyList<JsonElement> ReadCitations(JsonElement element) =>
        element.TryGetProperty("citations"u8, out var citations) && citations.ValueKind == JsonValueKind.Array ? [.. citations.EnumerateArray()] : [];
}
