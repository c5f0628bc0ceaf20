using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>What a run of parts is. Neighbouring text parts of one kind are one text, however they were cut.</summary>
internal enum BlockKind
{
    Text,
    Thought,
    FunctionCall,

    /// <summary>An image, code, a file: output that cannot be compared.</summary>
    Other,
}

/// <summary>What one candidate has delivered. Every change since <see cref="Mark"/> can be taken back.</summary>
internal sealed class DeliveredCandidate(int index) : IDisposable
{
    private (int Blocks, int LastText, bool LastSignature, bool CallIsOpen, bool Finished) _mark;

    public int Index => index;

    public List<DeliveredBlock> Blocks { get; } = [];

    /// <summary>Whether a function call whose arguments come in pieces is not whole yet.</summary>
    public bool CallIsOpen { get; set; }

    public bool Finished { get; set; }

    /// <summary>The text that grows: the last block where it is of this kind, else a new one.</summary>
    public PooledBuffer Text(BlockKind kind)
    {
        if (Blocks.Count == 0 || Blocks[^1].Kind != kind)
        {
            Blocks.Add(new DeliveredBlock(kind));
        }

        return Blocks[^1].Text;
    }

    public void Mark()
    {
        var last = Blocks.Count > 0 ? Blocks[^1] : null;
        _mark = (Blocks.Count, last?.Text.Length ?? 0, last is { HasSignature: true }, CallIsOpen, Finished);
    }

    public void BackToMark()
    {
        while (Blocks.Count > _mark.Blocks)
        {
            Blocks[^1].Dispose();
            Blocks.RemoveAt(Blocks.Count - 1);
        }

        if (Blocks.Count > 0)
        {
            Blocks[^1].Text.Truncate(_mark.LastText);
            Blocks[^1].HasSignature = _mark.LastSignature;
        }

        CallIsOpen = _mark.CallIsOpen;
        Finished = _mark.Finished;
    }

    public void Dispose()
    {
        foreach (var block in Blocks)
        {
            block.Dispose();
        }
    }
}

/// <summary>A text, or one part that is none.</summary>
internal sealed class DeliveredBlock(BlockKind kind) : IDisposable
{
    public BlockKind Kind => kind;

    public PooledBuffer Text { get; } = new();

    /// <summary>A whole <c>functionCall</c> as raw JSON.</summary>
    public byte[]? Call { get; init; }

    /// <summary>Whether a <c>thoughtSignature</c> came with or after it.</summary>
    public bool HasSignature { get; set; }

    public void Dispose() => Text.Dispose();
}
