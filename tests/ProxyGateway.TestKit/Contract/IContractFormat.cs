namespace ProxyGateway.TestKit.Contract;

/// <summary>What the checker must know of the client's request.</summary>
/// <param name="Tag">What every event of the answer repeats, where the format has such a thing.</param>
public sealed record ContractRequest(bool Streaming, int Choices, bool IncludeUsage, string? Tag = null);

/// <summary>Reads the events of one stream, in order. What is malformed leaves no trace in it.</summary>
public abstract class ContractStream
{
    public abstract ContractEvent Read(SseBlock block);

    /// <summary>Whether an equal replay can go on from what was read, or whether something in it is whole or nothing.</summary>
    public virtual bool CanBeJoined => true;
}

/// <summary>
/// What the checker must know of one chat format. Implementations share no code with the product. The rest of the contract
/// is the same for all formats and lives in <see cref="StreamContract"/>.
/// </summary>
public interface IContractFormat
{
    string Name { get; }

    /// <summary>What follows a stream that has its stop reason and lacks its last event; empty where nothing is ever missing.</summary>
    ReadOnlyMemory<byte> MissingEnd { get; }

    /// <summary>The media type of a stream.</summary>
    string StreamContentType => "text/event-stream";

    /// <summary>Null where the request cannot be read. Some formats say in the path and query whether they stream.</summary>
    ContractRequest? ReadRequest(byte[] body, string? target = null);

    /// <summary>The names of request members that an attempt may change, remove or add.</summary>
    IReadOnlyCollection<string> ChangeableMembers { get; }

    /// <summary>Takes the first whole event of <paramref name="stream"/>; false where there is none.</summary>
    bool TryReadBlock(ReadOnlyMemory<byte> stream, bool isStart, out SseBlock block) => SseBlock.TryRead(stream, isStart, out block);

    ContractStream NewStream();

    /// <summary>Whether the end marker makes an answer complete that has no stop reason.</summary>
    bool DoneSuffices(DecodedMessage message, TerminalRule terminal);

    /// <summary>Whether each call has an end of its own that says it whole, so that the answer's end says nothing of calls.</summary>
    bool CallsEndWhole => false;

    /// <summary>Whether readers differ on a call that has no arguments at all.</summary>
    bool ArgumentsMayBeMissing => false;

    /// <summary>Whether what was read so far is a whole answer without its last event.</summary>
    bool IsFinished(DecodedMessage message, ContractRequest request);

    /// <summary>A whole non-streaming answer; null where the body is none (not JSON, an error, no choice, no stop reason).</summary>
    DecodedMessage? ReadAnswer(byte[] body);

    /// <summary>The length of the heartbeat that <paramref name="bytes"/> begin with, or 0.</summary>
    int HeartbeatLength(ReadOnlyMemory<byte> bytes);

    /// <summary>What is wrong with the events of a loud ending (from the first error event on), or null.</summary>
    string? CheckErrorEnding(IReadOnlyList<ContractEvent> events);

    /// <summary>Whether a body is an error in this format.</summary>
    bool IsErrorBody(byte[] body);

    /// <summary>Rule 5: whether what the client has is what the replay said; its beginning where the client has not <paramref name="whole"/> of it.</summary>
    void CompareText(DecodedMessage got, DecodedMessage answer, bool whole, ViolationList violations) => ContractText.Compare(got, answer, whole, violations);

    /// <summary>
    /// Rules 6 and 7 on a complete stream that the gateway made or continued: <paramref name="delivered"/> are the upstream's
    /// events the client got, <paramref name="added"/> the gateway's own, <paramref name="answer"/> the replay they come from.
    /// </summary>
    void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations);
}

/// <summary>The formats that can be checked.</summary>
public static class ContractFormats
{
    private static readonly Dictionary<string, IContractFormat> Known = new(StringComparer.Ordinal)
    {
        ["openai-chat"] = new OpenAIChat.OpenAIChatContract(),
        ["openai-completions"] = new OpenAICompletions.OpenAICompletionsContract(),
        ["anthropic-messages"] = new AnthropicMessages.AnthropicMessagesContract(),
        ["openai-responses"] = new OpenAIResponses.OpenAIResponsesContract(),
        ["gemini"] = new Gemini.GeminiContract(),
        ["ollama"] = new Ollama.OllamaContract(),
        ["a2a"] = new A2A.A2AContract(),
    };

    public static IEnumerable<string> Names => Known.Keys;

    public static IContractFormat Get(string name) =>
        Known.TryGetValue(name, out var format) ? format : throw new ArgumentException($"The contract knows no chat format `{name}`.", nameof(name));
}
