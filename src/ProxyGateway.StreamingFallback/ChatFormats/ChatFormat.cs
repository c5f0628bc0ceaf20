using System.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>How events are framed on the wire.</summary>
internal enum StreamFraming
{
    /// <summary>WHATWG server-sent events.</summary>
    ServerSentEvents,

    /// <summary>One JSON document per line.</summary>
    JsonLines,
}

/// <summary>Whether an attempt asks for a stream or for the whole answer at once.</summary>
internal enum AttemptMode
{
    Streaming,
    NonStreaming,
}

/// <summary>
/// One wire protocol that agents speak. Pure: bytes in, bytes and verdicts out; no HTTP, no clock, no I/O.
/// An instance has no state and is shared by all exchanges.
/// </summary>
internal abstract class ChatFormat
{
    /// <summary>The name in the configuration, in metrics and in the docs.</summary>
    public abstract string Name { get; }

    /// <summary>What the format does, in the words of OpenTelemetry's <c>gen_ai.operation.name</c>.</summary>
    public virtual string OperationName => "chat";

    /// <summary>Whose wire protocol it is, in the words of OpenTelemetry's <c>gen_ai.provider.name</c>; who runs the upstream is not known.</summary>
    public virtual string ProviderName => Name;

    public virtual StreamFraming Framing => StreamFraming.ServerSentEvents;

    /// <summary>The media type a stream of this format has.</summary>
    public virtual string StreamContentType => "text/event-stream";

    /// <summary>The replay policy of routes that name none.</summary>
    public virtual Configuration.ReplayPolicy DefaultReplay => Configuration.ReplayPolicy.Safe;

    /// <summary>
    /// Reads what the gateway must know of a request. Returns null and sets <paramref name="request"/>, or says what
    /// is wrong with the body in words a client can act on (never a part of the body itself). The path comes with its query.
    /// </summary>
    public abstract string? ReadRequest(ReadOnlySpan<byte> body, string path, out ChatRequest request);

    /// <summary>
    /// Writes the body of an attempt: the client's bytes, changed only where mode and model demand it.
    /// Returns false and writes nothing where the client's own bytes serve as they are.
    /// </summary>
    public abstract bool WriteAttemptBody(ChatRequest request, ReadOnlySpan<byte> body, AttemptMode mode, string? model, IBufferWriter<byte> output);

    /// <summary>The path (and query) of a non-streaming attempt where it differs from the client's, else null.</summary>
    public virtual (string Path, string Query)? RewriteTarget(ChatRequest request, string path, string query, AttemptMode mode, string? model) => null;

    /// <summary>A reader for one streaming attempt. It keeps at most <paramref name="maxDeliveredBytes"/> of decoded text.</summary>
    public abstract ChatStreamReader NewReader(ChatRequest request, int maxDeliveredBytes, Configuration.TerminalProfile terminal);

    /// <summary>
    /// Goes on from what <paramref name="delivered"/> holds to the end of <paramref name="answer"/>, a whole non-streaming
    /// body: writes the events that are missing, the terminal included. With <paramref name="delivered"/> null (nothing was
    /// delivered) the whole stream is made. Writes nothing unless the verdict is <see cref="AnswerVerdict.Usable"/>.
    /// </summary>
    public abstract AnswerVerdict Continue(ChatRequest request, ChatStreamReader? delivered, ReadOnlyMemory<byte> answer, IBufferWriter<byte> output);

    /// <summary>Whether a whole non-streaming body is a complete answer of this format.</summary>
    public abstract AnswerVerdict CheckAnswer(ChatRequest request, ReadOnlyMemory<byte> answer);

    /// <summary>Writes what a stream that has its terminal still lacks (<c>[DONE]</c>); nothing where it lacks nothing.</summary>
    public abstract void WriteMissingEnd(ChatStreamReader delivered, IBufferWriter<byte> output);

    /// <summary>
    /// Writes the loud ending's event(s). <paramref name="request"/> is what they answer; <paramref name="delivered"/> is null where no content was delivered.
    /// </summary>
    public abstract void WriteErrorEvent(in GatewayError error, ChatRequest? request, ChatStreamReader? delivered, IBufferWriter<byte> output);

    /// <summary>Writes a heartbeat that clients of this format accept. <paramref name="delivered"/> is null where no content was delivered.</summary>
    public abstract void WriteHeartbeat(ChatStreamReader? delivered, IBufferWriter<byte> output);

    /// <summary>Writes the body of an HTTP error in this format. <paramref name="request"/> is what it answers; null where that could not be read.</summary>
    public abstract void WriteErrorBody(in GatewayError error, ChatRequest? request, IBufferWriter<byte> output);

    /// <summary>What an event or a whole answer reports of the tokens it took.</summary>
    public virtual TokenUsage ReadUsage(ReadOnlySpan<byte> json) => default;

    /// <summary>What an upstream's error body (an HTTP error, or an error under 200) complains about.</summary>
    public abstract UpstreamComplaint ReadErrorBody(ReadOnlySpan<byte> body);

    /// <summary>Whether an error under 200 is the agent's answer to this request, as a 4xx is elsewhere, and no failure of the agent's.</summary>
    public virtual bool IsErrorOfRequest(ReadOnlySpan<byte> body) => false;
}

/// <summary>What a whole non-streaming answer is good for.</summary>
internal enum AnswerVerdict
{
    /// <summary>A complete answer that agrees with what was delivered.</summary>
    Usable,

    /// <summary>Not JSON, no choice, no stop reason: no answer at all.</summary>
    Unusable,

    /// <summary>A complete answer that does not begin with what was delivered.</summary>
    Divergent,

    /// <summary>An error object in place of an answer.</summary>
    Error,
}

/// <summary>What an upstream's error is about, as far as the plan depends on it.</summary>
internal enum UpstreamComplaint
{
    /// <summary>The body is not an error object of this format.</summary>
    None,
    Other,

    /// <summary>The conversation is too long for this model; another cluster may take it.</summary>
    ContextLengthExceeded,

    /// <summary>A refusal on grounds of policy: never routed around.</summary>
    ContentPolicy,
}

/// <summary>An error the gateway itself reports; every text in it is the gateway's own or from a closed list.</summary>
/// <param name="Status">The HTTP status, also where it can no longer be sent.</param>
/// <param name="Code">From the closed list in <c>product.md</c>.</param>
/// <param name="Message">A sentence for a person; never a part of a request or of an upstream's body.</param>
internal readonly record struct GatewayError(int Status, string Code, string Message);
