using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>The ledger of one message: its blocks, kept within a bound.</summary>
internal sealed class DeliveredMessage(int maxBytes) : IDisposable
{
    private readonly List<DeliveredBlock> _blocks = [];
    private int _kept;
    private bool _overflow;
    private bool _incomparable;

    /// <summary>All blocks in the order of their indexes; once more was delivered than is kept, the open ones only.</summary>
    public IReadOnlyList<DeliveredBlock> Blocks => _blocks;

    /// <summary>The index that the next block must have.</summary>
    public int NextIndex { get; private set; }

    /// <summary>A call of the client's own tools was delivered whole.</summary>
    public bool AnyToolCallComplete { get; private set; }

    public int OpenCount { get; private set; }

    /// <summary>False, too, while reasoning lacks its signature: no replay can go on with that.</summary>
    public bool CanSplice => !_overflow && !_incomparable && !_blocks.Exists(static b => b.IsReasoning && !b.IsWholeReasoning);

    public int KeptBytes => _kept;

    /// <summary>Something was delivered that no replay can be compared with.</summary>
    public void SetIncomparable() => _incomparable = true;

    public DeliveredBlock? FindOpen(int index)
    {
        for (var i = _blocks.Count - 1; i >= 0; i--)
        {
            if (_blocks[i].Index == index)
            {
                return _blocks[i].Closed ? null : _blocks[i];
            }
        }

        return null;
    }

    public void Open(DeliveredBlock block)
    {
        Keep(DeliveredBlock.OwnBytes + block.Type.Length + block.Name.Length + (block.Id?.Length ?? 0) + block.Start.Length + block.StartInput.Length);
        _blocks.Add(block);
        NextIndex++;
        OpenCount++;
    }

    public void Close(DeliveredBlock block)
    {
        block.Closed = true;
        OpenCount--;
        AnyToolCallComplete |= IsClientCall(block);
        if (_overflow)
        {
            block.Dispose();
            _blocks.Remove(block);
        }
    }

    /// <summary>Whether a call that the client executes has begun and not ended.</summary>
    public bool HasOpenToolCall()
    {
        foreach (var block in _blocks)
        {
            if (!block.Closed && IsClientCall(block))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds <paramref name="quoted"/>, a JSON string with its quotes or nothing, to the block's text, and says whether that is content.</summary>
    public EventMeaning Append(DeliveredBlock block, ReadOnlySpan<byte> quoted)
    {
        if (!EventMembers.HasText(quoted))
        {
            return EventMeaning.Lifecycle;
        }

        // Decoded text is never longer than its escaped form.
        if (_overflow || _kept + quoted.Length > maxBytes)
        {
            // What is kept serves nothing any more.
            block.Text.Clear();
            block.Incomplete = true;
            Overflow();
            return EventMeaning.Content;
        }

        var before = block.Text.Length;
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        if (!JsonText.TryAppend(ref reader, block.Text))
        {
            block.Incomplete = true;
            _incomparable = true;
        }

        _kept += block.Text.Length - before;
        return EventMeaning.Content;
    }

    public void AddCitation(DeliveredBlock block, ReadOnlySpan<byte> raw)
    {
        if (Keep(DeliveredBlock.OwnBytes + raw.Length))
        {
            block.Citations.Add(raw.ToArray());
        }
    }

    public void Dispose()
    {
        foreach (var block in _blocks)
        {
            block.Dispose();
        }

        _blocks.Clear();
    }

    private static bool IsClientCall(DeliveredBlock block) => block.Kind == BlockKind.Tool && block.Type.AsSpan().SequenceEqual("tool_use"u8);

    private bool Keep(int bytes)
    {
        if (_overflow || _kept + bytes > maxBytes)
        {
            Overflow();
            return false;
        }

        _kept += bytes;
        return true;
    }

    private void Overflow()
    {
        if (_overflow)
        {
            return;
        }

        _overflow = true;
        for (var i = _blocks.Count - 1; i >= 0; i--)
        {
            if (_blocks[i].Closed)
            {
                _blocks[i].Dispose();
                _blocks.RemoveAt(i);
            }
        }
    }
}
