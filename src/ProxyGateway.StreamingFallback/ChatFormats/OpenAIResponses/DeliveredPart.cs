using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>The kinds of part whose text is streamed.</summary>
internal enum PartKind
{
    OutputText,
    Refusal,
    ReasoningText,
    SummaryText,
}

/// <summary>A content part or a summary part of an item, as far as it was delivered.</summary>
internal sealed class DeliveredPart(PartKind kind, int index, bool announced) : IDisposable
{
    private (int Text, int Annotations, bool TextDone, bool Done) _mark;

    public PartKind Kind => kind;

    /// <summary>Its <c>content_index</c> or <c>summary_index</c>.</summary>
    public int Index => index;

    /// <summary>Whether an event opened it; some servers send deltas only, and then nothing must close it.</summary>
    public bool Announced => announced;

    public PooledBuffer Text { get; } = new();

    /// <summary>The raw annotations, in order.</summary>
    public List<byte[]> Annotations { get; } = [];

    public bool TextDone { get; set; }

    public bool Done { get; set; }

    public int KeptBytes => Text.Length + Annotations.Sum(a => a.Length);

    public void Mark() => _mark = (Text.Length, Annotations.Count, TextDone, Done);

    public void BackToMark()
    {
        Text.Truncate(_mark.Text);
        Annotations.RemoveRange(_mark.Annotations, Annotations.Count - _mark.Annotations);
        TextDone = _mark.TextDone;
        Done = _mark.Done;
    }

    public void Dispose() => Text.Dispose();
}
