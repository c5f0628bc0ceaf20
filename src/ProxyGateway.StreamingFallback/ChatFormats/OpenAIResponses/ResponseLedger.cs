using System.Text.Json;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>
/// What one attempt has delivered. While events are held (<see cref="Hold"/>), everything that they changed can be taken
/// back, for a stream that dies then has not delivered them.
/// </summary>
internal sealed class ResponseLedger(int maxBytes) : IDisposable
{
    private readonly PooledBuffer _scratch = new();
    private int _kept;
    private (int Items, int Kept, long Sequence, bool AnyContent, bool Overflow, bool Incomparable) _mark;

    /// <summary>In the order in which they were begun.</summary>
    public List<DeliveredItem> Items { get; } = [];

    public ResponseIdentity? Identity { get; set; }

    /// <summary>The last sequence number, counted on where the upstream gives none; -1 before the first event.</summary>
    public long Sequence { get; private set; } = -1;

    public bool AnyContent { get; set; }

    /// <summary>More was delivered than is kept.</summary>
    public bool Overflow { get; private set; }

    /// <summary>Something was delivered that cannot be compared.</summary>
    public bool Incomparable { get; set; }

    /// <summary>Whether events were read that wait for a later one.</summary>
    public bool Holding { get; private set; }

    public DeliveredItem? Find(int outputIndex)
    {
        for (var i = Items.Count - 1; i >= 0; i--)
        {
            if (Items[i].OutputIndex == outputIndex)
            {
                return Items[i];
            }
        }

        return null;
    }

    /// <summary>The next event has <paramref name="sequenceNumber"/>, or -1 where it says none.</summary>
    public void Advance(long sequenceNumber) => Sequence = sequenceNumber >= 0 ? sequenceNumber : Sequence + 1;

    /// <summary>A copy of <paramref name="raw"/>, or null where the bound is reached.</summary>
    public byte[]? Keep(ReadOnlySpan<byte> raw) => Reserve(raw.Length) ? raw.ToArray() : null;

    public int KeptBytes => _kept;

    /// <summary>The same, but what finds no room is no loss.</summary>
    public byte[]? KeepIfRoom(ReadOnlySpan<byte> raw) => _kept + raw.Length <= maxBytes ? Keep(raw) : null;

    /// <summary>Appends the decoded string that <paramref name="text"/> stands on.</summary>
    public void Append(ref Utf8JsonReader text, PooledBuffer buffer)
    {
        var before = buffer.Length;
        var isOver = Overflow && !Holding;
        if (!Reserve(text.ValueSpan.Length))
        {
            if (isOver)
            {
                // No event can take that back any more: what is kept serves nothing.
                buffer.Clear();
            }

            return;
        }

        if (!JsonText.TryAppend(ref text, buffer))
        {
            Incomparable = true;
        }

        _kept += buffer.Length - before - text.ValueSpan.Length;
    }

    public void Append(ReadOnlySpan<byte> text, PooledBuffer buffer)
    {
        if (Reserve(text.Length))
        {
            buffer.Append(text);
        }
    }

    /// <summary>The event that ends a text repeats the whole of it. Returns whether that holds anything that no delta had.</summary>
    public bool Complete(ReadOnlySpan<byte> whole, PooledBuffer delivered)
    {
        if (!whole.StartsWith(delivered.Span))
        {
            // Which of the two a client goes by is not known.
            Incomparable |= !Overflow;
            return false;
        }

        var rest = whole[delivered.Length..];
        Append(rest, delivered);
        return !rest.IsEmpty;
    }

    /// <summary>The decoded string that <paramref name="text"/> stands on, valid until the next call; null where it cannot be compared.</summary>
    public bool TryDecode(ref Utf8JsonReader text, out ReadOnlySpan<byte> decoded)
    {
        _scratch.Truncate(0);
        var isText = text.TokenType == JsonTokenType.String && JsonText.TryAppend(ref text, _scratch);
        decoded = _scratch.Span;
        return isText;
    }

    /// <summary>From here on changes belong to events that wait.</summary>
    public void Hold()
    {
        if (Holding)
        {
            return;
        }

        Holding = true;
        _mark = (Items.Count, _kept, Sequence, AnyContent, Overflow, Incomparable);
        foreach (var item in Items)
        {
            item.Mark();
        }
    }

    /// <summary>What was held is delivered.</summary>
    public void Release()
    {
        if (!Holding)
        {
            return;
        }

        Holding = false;
        _scratch.Clear();
        foreach (var item in Items)
        {
            if (item.Done)
            {
                _kept -= item.Freeze();
            }
        }
    }

    /// <summary>What was held was not delivered after all.</summary>
    public void TakeBack()
    {
        if (!Holding)
        {
            return;
        }

        Holding = false;
        while (Items.Count > _mark.Items)
        {
            Items[^1].Dispose();
            Items.RemoveAt(Items.Count - 1);
        }

        foreach (var item in Items)
        {
            item.BackToMark();
        }

        (_, _kept, Sequence, AnyContent, Overflow, Incomparable) = _mark;
    }

    public void Dispose()
    {
        _scratch.Dispose();
        foreach (var item in Items)
        {
            item.Dispose();
        }

        Items.Clear();
    }

    private bool Reserve(int bytes)
    {
        if (Overflow || _kept + bytes > maxBytes)
        {
            Overflow = true;
            return false;
        }

        _kept += bytes;
        return true;
    }
}
