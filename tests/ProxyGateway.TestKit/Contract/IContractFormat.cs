namespace ProxyGateway.TestKit.Contract;

/// <summary>What the checker must know of the client's request.</summary>
public sealed record ContractRequest(bool Streaming, int Choices, bool IncludeUsage);

/// <summary>
/// What the checker must know of one chat format. Implementations share no code with the product. The rest of the contract
/// is the same for all formats and lives in <see cref="StreamContract"/>.
/// </summary>
public interface IContractFormat
{
    string Name { get; }

    /// <summary>What follows a stream that has its stop reason and lacks its last event; empty where nothing is ever missing.</summary>
    ReadOnlyMemory<byte> MissingEnd { get; }

    /// <summary>Null where the request cannot be read.</summary>
    ContractRequest? ReadRequest(byte[] body);

    /// <summary>The names of request members that an attempt may change, remove or add.</summary>
    IReadOnlyCollection<string> ChangeableMembers { get; }

    ContractEvent ReadEvent(SseBlock block);

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
    };

    public static IContractFormat Get(string name) =>
        Known.TryGetValue(name, out var format) ? format : throw new ArgumentException($"The contract knows no chat format `{name}`.", nameof(name));
}
