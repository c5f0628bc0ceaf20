namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>The stream events that the ledger knows, by what they do to it (OpenAI API reference, "Responses streaming events").</summary>
internal enum ResponseEventKind : byte
{
    /// <summary>A <c>response.</c> event that changes nothing kept: progress of a server's own tool, kinds that do not exist yet.</summary>
    Other,

    /// <summary>No <c>response.</c> event: keep-alives.</summary>
    Foreign,

    /// <summary>A delta of a kind that cannot be joined.</summary>
    OtherDelta,
    OtherDone,
    OutputTextDelta,
    RefusalDelta,
    ReasoningTextDelta,
    SummaryTextDelta,
    ArgumentsDelta,
    InputDelta,
    OutputTextDone,
    RefusalDone,
    ReasoningTextDone,
    SummaryTextDone,
    ArgumentsDone,
    InputDone,
    ContentPartAdded,
    ContentPartDone,
    SummaryPartAdded,
    SummaryPartDone,
    AnnotationAdded,
    ItemAdded,
    ItemDone,

    /// <summary><c>response.created</c>, <c>response.in_progress</c>, <c>response.queued</c>.</summary>
    Started,

    /// <summary><c>response.completed</c>, <c>response.incomplete</c>.</summary>
    Completed,

    /// <summary><c>response.failed</c>, <c>response.cancelled</c>, <c>error</c>.</summary>
    Failed,
}

internal static class ResponseEventKinds
{
    public static ResponseEventKind Find(ReadOnlySpan<byte> type)
    {
        if (!type.StartsWith("response."u8))
        {
            return type.SequenceEqual("error"u8) ? ResponseEventKind.Failed : ResponseEventKind.Foreign;
        }

        var name = type["response."u8.Length..];
        if (name.EndsWith(".delta"u8))
        {
            return FindDelta(name[..^".delta"u8.Length]);
        }

        if (name.EndsWith(".done"u8))
        {
            return FindDone(name[..^".done"u8.Length]);
        }

        return name switch
        {
            _ when name.SequenceEqual("output_item.added"u8) => ResponseEventKind.ItemAdded,
            _ when name.SequenceEqual("content_part.added"u8) => ResponseEventKind.ContentPartAdded,
            _ when name.SequenceEqual("reasoning_summary_part.added"u8) => ResponseEventKind.SummaryPartAdded,
            _ when name.SequenceEqual("output_text.annotation.added"u8) => ResponseEventKind.AnnotationAdded,
            _ when name.SequenceEqual("created"u8) || name.SequenceEqual("in_progress"u8) || name.SequenceEqual("queued"u8) => ResponseEventKind.Started,
            _ when name.SequenceEqual("completed"u8) || name.SequenceEqual("incomplete"u8) => ResponseEventKind.Completed,
            _ when name.SequenceEqual("failed"u8) || name.SequenceEqual("cancelled"u8) => ResponseEventKind.Failed,
            _ => ResponseEventKind.Other,
        };
    }

    private static ResponseEventKind FindDelta(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("output_text"u8) => ResponseEventKind.OutputTextDelta,
        _ when name.SequenceEqual("function_call_arguments"u8) => ResponseEventKind.ArgumentsDelta,
        _ when name.SequenceEqual("reasoning_summary_text"u8) => ResponseEventKind.SummaryTextDelta,
        _ when name.SequenceEqual("reasoning_text"u8) => ResponseEventKind.ReasoningTextDelta,
        _ when name.SequenceEqual("custom_tool_call_input"u8) => ResponseEventKind.InputDelta,
        _ when name.SequenceEqual("refusal"u8) => ResponseEventKind.RefusalDelta,
        _ => ResponseEventKind.OtherDelta,
    };

    private static ResponseEventKind FindDone(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("output_text"u8) => ResponseEventKind.OutputTextDone,
        _ when name.SequenceEqual("function_call_arguments"u8) => ResponseEventKind.ArgumentsDone,
        _ when name.SequenceEqual("reasoning_summary_text"u8) => ResponseEventKind.SummaryTextDone,
        _ when name.SequenceEqual("reasoning_text"u8) => ResponseEventKind.ReasoningTextDone,
        _ when name.SequenceEqual("custom_tool_call_input"u8) => ResponseEventKind.InputDone,
        _ when name.SequenceEqual("refusal"u8) => ResponseEventKind.RefusalDone,
        _ when name.SequenceEqual("content_part"u8) => ResponseEventKind.ContentPartDone,
        _ when name.SequenceEqual("reasoning_summary_part"u8) => ResponseEventKind.SummaryPartDone,
        _ when name.SequenceEqual("output_item"u8) => ResponseEventKind.ItemDone,
        _ => ResponseEventKind.OtherDone,
    };
}
