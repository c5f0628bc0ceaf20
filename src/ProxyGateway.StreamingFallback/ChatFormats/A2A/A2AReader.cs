using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>Reads the JSON-RPC responses of an A2A stream and keeps the artifacts they delivered (A2A specification 0.3, section 7.2).</summary>
internal sealed class A2AReader(ChatRequest request, int maxDeliveredBytes) : ChatStreamReader
{
    private readonly TextPattern _pattern = new();
    private bool _anyContent;
    private bool _ended;
    private bool _final;

    public ChatRequest Request => request;

    public List<DeliveredArtifact> Artifacts { get; } = [];

    public KeptText Kept { get; } = new(maxDeliveredBytes);

    /// <summary>The first task id seen, as raw JSON.</summary>
    public byte[]? TaskId { get; private set; }

    /// <summary>The first context id seen, as raw JSON.</summary>
    public byte[]? ContextId { get; private set; }

    public override bool IsFinished => _ended || _final;

    public override bool IsDone => _final;

    public override bool CanSplice => Kept.IsComparable;

    public override int KeptBytes => Kept.Bytes;

    public override DeliveredKind Delivered => _anyContent ? DeliveredKind.Text : DeliveredKind.Nothing;

    public override EventMeaning Read(in StreamEvent e)
    {
        var data = e.Data.Trim(" \t\r\n"u8);
        if (data.IsEmpty)
        {
            return EventMeaning.Lifecycle;
        }

        if (e.Type.IsEmpty && _pattern.Matches(data, out var text, out var artifact))
        {
            Kept.Append(text, artifact);
            return EventMeaning.Content;
        }

        var artifacts = Artifacts.Count;
        _pattern.Forget();
        Kept.Mark();
        if (artifacts > 0)
        {
            Artifacts[^1].Mark();
        }

        var parser = new A2AEventParser(this, data);
        EventMeaning meaning;
        try
        {
            meaning = parser.Parse();
        }
        catch (Exception ex) when (ex is JsonException or InvalidOperationException or FormatException)
        {
            meaning = EventMeaning.Malformed;
        }

        if (e.Type.SequenceEqual("error"u8))
        {
            meaning = EventMeaning.Error;
        }

        if (meaning is EventMeaning.Error or EventMeaning.Malformed)
        {
            Complaint = meaning == EventMeaning.Error ? UpstreamComplaint.Other : Complaint;
            TakeBack(artifacts);
            return meaning;
        }

        _anyContent |= (meaning & EventMeaning.Content) != 0;
        _ended |= (meaning & EventMeaning.Finish) != 0;
        _final |= (meaning & EventMeaning.Done) != 0;
        TaskId ??= parser.TaskId.IsEmpty ? null : parser.TaskId.ToArray();
        ContextId ??= parser.ContextId.IsEmpty ? null : parser.ContextId.ToArray();
        if (meaning == EventMeaning.Content)
        {
            parser.Learn(_pattern);
        }

        return meaning;
    }

    public override void Dispose()
    {
        foreach (var artifact in Artifacts)
        {
            artifact.Dispose();
        }

        Artifacts.Clear();
    }

    private void TakeBack(int artifacts)
    {
        while (Artifacts.Count > artifacts)
        {
            Artifacts[^1].Dispose();
            Artifacts.RemoveAt(Artifacts.Count - 1);
        }

        if (artifacts > 0)
        {
            Artifacts[^1].BackToMark();
        }

        Kept.BackToMark();
    }
}
