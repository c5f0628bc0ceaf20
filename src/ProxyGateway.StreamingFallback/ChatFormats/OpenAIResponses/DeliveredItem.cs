using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>The kinds of output item whose pieces the gateway can join.</summary>
internal enum ItemKind
{
    Message,
    Reasoning,
    FunctionCall,
    CustomToolCall,

    /// <summary>Server tools and whatever is new: comes whole or not at all.</summary>
    Other,
}

/// <summary>An output item as far as it was delivered. Every change since <see cref="Mark"/> can be taken back.</summary>
internal sealed class DeliveredItem(int outputIndex, ItemKind kind, bool isToolCall, byte[]? added) : IDisposable
{
    private (int Parts, int Input, bool InputDone, bool Done, bool Unjoinable) _mark;

    public int OutputIndex => outputIndex;

    public ItemKind Kind => kind;

    /// <summary>Whether the item is a call of a tool, be it the client's or the server's.</summary>
    public bool IsToolCall => isToolCall;

    /// <summary>The raw item of <c>response.output_item.added</c>; null where there was none or it is not kept.</summary>
    public byte[]? Added { get; private set; } = added;

    /// <summary>The raw item of <c>response.output_item.done</c>; null before, or where it is not kept.</summary>
    public byte[]? Whole { get; private set; }

    public bool Done { get; private set; }

    /// <summary>In the order in which they were begun.</summary>
    public List<DeliveredPart> Parts { get; } = [];

    /// <summary>The arguments of a function call, the input of a custom tool call.</summary>
    public PooledBuffer Input { get; } = new();

    public bool InputDone { get; set; }

    /// <summary>Something was delivered that cannot be compared before the item is whole.</summary>
    public bool Unjoinable { get; set; }

    public DeliveredPart? Find(PartKind partKind, int index)
    {
        foreach (var part in Parts)
        {
            if (part.Kind == partKind && part.Index == index)
            {
                return part;
            }
        }

        return null;
    }

    public DeliveredPart Begin(PartKind partKind, int index, bool announced)
    {
        var part = new DeliveredPart(partKind, index, announced);
        Parts.Add(part);
        return part;
    }

    public void Finish(byte[]? whole)
    {
        Done = true;
        Whole = whole;
    }

    /// <summary>Lets go of the pieces of an item that is whole. Returns how many kept bytes that frees.</summary>
    public int Freeze()
    {
        var freed = Input.Length + (Added?.Length ?? 0);
        Added = null;
        Input.Clear();
        foreach (var part in Parts)
        {
            freed += part.KeptBytes;
            part.Dispose();
        }

        Parts.Clear();
        return freed;
    }

    public void Mark()
    {
        _mark = (Parts.Count, Input.Length, InputDone, Done, Unjoinable);
        foreach (var part in Parts)
        {
            part.Mark();
        }
    }

    public void BackToMark()
    {
        while (Parts.Count > _mark.Parts)
        {
            Parts[^1].Dispose();
            Parts.RemoveAt(Parts.Count - 1);
        }

        foreach (var part in Parts)
        {
            part.BackToMark();
        }

        Input.Truncate(_mark.Input);
        InputDone = _mark.InputDone;
        Unjoinable = _mark.Unjoinable;
        if (!_mark.Done)
        {
            Done = false;
            Whole = null;
        }
    }

    public void Dispose()
    {
        Input.Dispose();
        foreach (var part in Parts)
        {
            part.Dispose();
        }
    }
}
