namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>What one event means to the guard.</summary>
[Flags]
internal enum EventMeaning
{
    /// <summary>Comment, ping, usage, role: passed on, held back before content, resets no clock.</summary>
    Lifecycle = 0,

    /// <summary>Carries text, reasoning, refusal, a tool call or other output.</summary>
    Content = 1,

    /// <summary>The answer is complete from here on; only a tail (usage, end marker) may follow.</summary>
    Finish = 2,

    /// <summary>The last event of the stream: nothing may follow.</summary>
    Done = 4,

    /// <summary>Must leave together with a later event: held until the next event without this flag.</summary>
    Hold = 8,

    /// <summary>The upstream's error event. Not passed on.</summary>
    Error = 16,

    /// <summary>Not an event of this format. Not passed on.</summary>
    Malformed = 32,

    /// <summary>A finish that must not reach a client: a tool call's arguments are cut. Not passed on.</summary>
    BrokenToolCall = 64,

    /// <summary>
    /// Contradicts the events before it, so that clients would lose it or what they have without a word (a piece of a block
    /// that is not open, a second start of the message). Not passed on, and nothing good can follow: the attempt is over.
    /// </summary>
    Contradiction = 128,
}

/// <summary>How much of an answer a client has, as far as recovery depends on it.</summary>
internal enum DeliveredKind
{
    Nothing,
    Text,
    ToolCallInFlight,
    ToolCallComplete,
}

/// <summary>
/// Reads the events of one streaming attempt and keeps what they delivered, so that a replay can be compared with it.
/// Not thread-safe; used by one attempt, then by the recovery that follows it.
/// </summary>
internal abstract class ChatStreamReader : IDisposable
{
    /// <summary>
    /// Takes one whole event. After <see cref="EventMeaning.Error"/>, <see cref="EventMeaning.Malformed"/>,
    /// <see cref="EventMeaning.BrokenToolCall"/> or <see cref="EventMeaning.Contradiction"/> the reader is as it was before the call.
    /// Allocates nothing for an ordinary text event.
    /// </summary>
    public abstract EventMeaning Read(in StreamEvent e);

    /// <summary>What the last <see cref="EventMeaning.Error"/> was about.</summary>
    public UpstreamComplaint Complaint { get; protected set; }

    /// <summary>Whether the terminal was read: a stream that ends now is complete.</summary>
    public abstract bool IsFinished { get; }

    /// <summary>Whether the format's end marker was read.</summary>
    public abstract bool IsDone { get; }

    public abstract DeliveredKind Delivered { get; }

    /// <summary>False once more was delivered than is kept, or something that cannot be compared.</summary>
    public abstract bool CanSplice { get; }

    /// <summary>Bytes kept of what was delivered. May be read beside the flow that writes.</summary>
    public virtual int KeptBytes => 0;

    /// <summary>Events that were read with <see cref="EventMeaning.Hold"/> since the last one without were not delivered after all.</summary>
    public virtual void DropHeld()
    {
    }

    /// <summary>Events that were read with <see cref="EventMeaning.Hold"/> were delivered before the one they waited for: there was no room to hold them.</summary>
    public virtual void KeepHeld()
    {
    }

    public abstract void Dispose();
}

/// <summary>One whole event as it came over the wire.</summary>
/// <param name="raw">All bytes, the blank line included.</param>
/// <param name="type">The value of the last <c>event:</c> line; empty where there is none.</param>
/// <param name="data">The value of the <c>data:</c> lines, joined by LF.</param>
/// <param name="hasData">Whether there was a <c>data:</c> line at all.</param>
internal readonly ref struct StreamEvent(ReadOnlySpan<byte> raw, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data, bool hasData)
{
    public ReadOnlySpan<byte> Raw { get; } = raw;

    public ReadOnlySpan<byte> Type { get; } = type;

    public ReadOnlySpan<byte> Data { get; } = data;

    public bool HasData { get; } = hasData;

    /// <summary>Whether it is the end marker of the OpenAI formats, as clients look for it: white space in front makes it something they cannot read.</summary>
    public bool IsDoneMarker => Data.TrimEnd((byte)' ').SequenceEqual("[DONE]"u8);
}
