using System.Text.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>Reads the <c>GenerateContentResponse</c> events of a Gemini stream and keeps what they delivered.</summary>
internal sealed class GeminiReader(ChatRequest request, int maxDeliveredBytes, TerminalProfile terminal) : ChatStreamReader
{
    private readonly TextPattern _pattern = new();
    private bool _blocked;
    private bool _anyContent;

    public List<DeliveredCandidate> Candidates { get; } = [];

    public KeptText Kept { get; } = new(maxDeliveredBytes);

    /// <summary>The first event's <c>responseId</c> as raw JSON.</summary>
    public byte[]? ResponseId { get; private set; }

    /// <summary>The first event's <c>modelVersion</c> as raw JSON.</summary>
    public byte[]? ModelVersion { get; private set; }

    public override bool IsFinished => _blocked || AllFinished();

    /// <remarks>The format has no end marker.</remarks>
    public override bool IsDone => false;

    public override bool CanSplice => Kept.IsComparable;

    public override int KeptBytes => Kept.Bytes;

    public override DeliveredKind Delivered
    {
        get
        {
            if (!_anyContent)
            {
                return DeliveredKind.Nothing;
            }

            var kind = DeliveredKind.Text;
            foreach (var candidate in Candidates)
            {
                if (candidate.CallIsOpen)
                {
                    return DeliveredKind.ToolCallInFlight;
                }

                kind = candidate.Blocks.Exists(static b => b.Kind == BlockKind.FunctionCall) ? DeliveredKind.ToolCallComplete : kind;
            }

            return kind;
        }
    }

    public override EventMeaning Read(in StreamEvent e)
    {
        var data = e.Data.Trim(" \t\r\n"u8);
        if (data.IsEmpty)
        {
            return EventMeaning.Lifecycle;
        }

        if (e.Type.IsEmpty && _pattern.Matches(data, out var text, out var channel))
        {
            Kept.Append(text, channel);
            return EventMeaning.Content;
        }

        _pattern.Forget();
        Kept.Mark();
        var before = Candidates.Count;
        foreach (var candidate in Candidates)
        {
            candidate.Mark();
        }

        var parser = new GeminiEventParser(this, data);
        EventMeaning meaning;
        try
        {
            meaning = parser.Parse();
        }
        catch (Exception ex) when (ex is JsonException or InvalidOperationException or FormatException)
        {
            meaning = EventMeaning.Malformed;
        }

        if (e.Type.SequenceEqual("error"u8) || meaning == EventMeaning.Error)
        {
            Complaint = GeminiError.Read(data) is var complaint && complaint == UpstreamComplaint.None ? UpstreamComplaint.Other : complaint;
            meaning = EventMeaning.Error;
        }
        else if ((meaning & EventMeaning.Finish) != 0 && Candidates.Exists(static c => c.Finished && c.CallIsOpen))
        {
            meaning = EventMeaning.BrokenToolCall;
        }

        if (meaning is EventMeaning.Error or EventMeaning.Malformed or EventMeaning.BrokenToolCall)
        {
            TakeBack(before);
            return meaning;
        }

        _anyContent |= (meaning & EventMeaning.Content) != 0;
        _blocked |= parser.Blocked;
        ResponseId ??= parser.ResponseId.IsEmpty ? null : parser.ResponseId.ToArray();
        ModelVersion ??= parser.ModelVersion.IsEmpty ? null : parser.ModelVersion.ToArray();
        if (meaning == EventMeaning.Content)
        {
            parser.Learn(_pattern);
        }

        // A candidate may finish while others go on: only the last finish is the stream's. Where the end of the body is the end marker,
        // a finish reason says no more than that the stream may end here.
        return IsFinished && (terminal != TerminalProfile.Done || _blocked) ? meaning : meaning & ~EventMeaning.Finish;
    }

    /// <summary>The candidate with this index, new where it was not seen.</summary>
    public DeliveredCandidate Candidate(int index)
    {
        foreach (var candidate in Candidates)
        {
            if (candidate.Index == index)
            {
                return candidate;
            }
        }

        var added = new DeliveredCandidate(index);
        Candidates.Add(added);
        return added;
    }

    public override void Dispose()
    {
        foreach (var candidate in Candidates)
        {
            candidate.Dispose();
        }

        Candidates.Clear();
    }

    private bool AllFinished()
    {
        var finished = 0;
        foreach (var candidate in Candidates)
        {
            if (!candidate.Finished)
            {
                return false;
            }

            finished++;
        }

        return finished > 0 && finished >= request.ChoiceCount;
    }

    private void TakeBack(int candidates)
    {
        for (var i = Candidates.Count - 1; i >= 0; i--)
        {
            if (i >= candidates)
            {
                Candidates[i].Dispose();
                Candidates.RemoveAt(i);
            }
            else
            {
                Candidates[i].BackToMark();
            }
        }

        Kept.BackToMark();
    }
}
