using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>What a content block is to the gateway.</summary>
internal enum BlockKind
{
    Text,

    /// <summary>Signed as a whole, so it can be kept whole but never be joined.</summary>
    Thinking,

    /// <summary>Stands whole in its start event.</summary>
    RedactedThinking,

    /// <summary>A call with <c>input</c>: <c>tool_use</c>, <c>server_tool_use</c>, <c>mcp_tool_use</c>.</summary>
    Tool,

    /// <summary>A summary of the conversation that comes in one delta.</summary>
    Compaction,

    /// <summary>Stands whole in its start event: results of server tools, and what later versions of the API add.</summary>
    Other,
}

/// <summary>What one content block has delivered.</summary>
internal sealed class DeliveredBlock(int index, BlockKind kind, byte[] type) : IDisposable
{
    /// <summary>What a block costs beside its text, roughly; a stream of empty blocks is bounded by it.</summary>
    public const int OwnBytes = 128;

    private PooledBuffer? _text;

    public int Index => index;

    public BlockKind Kind => kind;

    public byte[] Type => type;

    public bool Closed { get; set; }

    /// <summary>Decoded text of a text block or a compaction, or a call's input as far as it was delivered. Thinking is not kept: it is never compared.</summary>
    public PooledBuffer Text => _text ??= new PooledBuffer();

    public ReadOnlySpan<byte> TextOrEmpty => _text is null ? default : _text.Span;

    /// <summary>Not all of the text was kept.</summary>
    public bool Incomplete { get; set; }

    /// <summary>The name of a call.</summary>
    public byte[] Name { get; init; } = [];

    /// <summary>The id of a call, which stays the one delivered first.</summary>
    public byte[]? Id { get; init; }

    /// <summary>The raw <c>content_block</c> of the start event, where the block is compared as it stands there.</summary>
    public byte[] Start { get; init; } = [];

    /// <summary>The input of a call that came with its start event; empty where that was an empty object.</summary>
    public byte[] StartInput { get; init; } = [];

    /// <summary>The citations of a text block as raw JSON.</summary>
    public List<byte[]> Citations { get; } = [];

    /// <summary>Whether thinking was followed by its signature, and by nothing after that.</summary>
    public bool Signed { get; set; }

    public bool IsReasoning => kind is BlockKind.Thinking or BlockKind.RedactedThinking;

    /// <summary>Whether reasoning lacks at most its stop event.</summary>
    public bool IsWholeReasoning => Closed || Signed || kind == BlockKind.RedactedThinking;

    public static BlockKind KindOf(ReadOnlySpan<byte> type) => type switch
    {
        _ when type.SequenceEqual("text"u8) => BlockKind.Text,
        _ when type.SequenceEqual("thinking"u8) => BlockKind.Thinking,
        _ when type.SequenceEqual("redacted_thinking"u8) => BlockKind.RedactedThinking,
        _ when type.EndsWith("tool_use"u8) => BlockKind.Tool,
        _ when type.SequenceEqual("compaction"u8) => BlockKind.Compaction,
        _ => BlockKind.Other,
    };

    public void Dispose() => _text?.Dispose();
}
