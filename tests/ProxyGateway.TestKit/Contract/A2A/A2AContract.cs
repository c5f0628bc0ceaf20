using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.A2A;

/// <summary>The contract's view of Agent2Agent over JSON-RPC.</summary>
internal sealed class A2AContract : IContractFormat
{
    private static readonly HashSet<string> Ended = ["completed", "failed", "canceled", "rejected"];
    private static readonly HashSet<string> Waiting = ["input-required", "auth-required"];

    public string Name => "a2a";

    public ReadOnlyMemory<byte> MissingEnd => default;

    public IReadOnlyCollection<string> ChangeableMembers { get; } = ["method"];

    private static ReadOnlySpan<byte> Heartbeat => ": keepalive\n"u8;

    public ContractRequest? ReadRequest(byte[] body, string? target = null) => ContractJson.Object(body) is { } root
        ? new ContractRequest(JsonStrings.Get(root, "method") is "message/stream" or "tasks/resubscribe", 1, true, JsonStrings.TryGet(root, "id", out var id) ? id.GetRawText() : null)
        : null;

    public ContractStream NewStream() => new A2AStream();

    public bool DoneSuffices(DecodedMessage message, TerminalRule terminal) => true;

    public bool IsFinished(DecodedMessage message, ContractRequest request) => message.Finishes.Count > 0;

    public DecodedMessage? ReadAnswer(byte[] body)
    {
        if (ContractJson.Object(body) is not { } root || JsonStrings.TryGet(root, "error", out _) || !JsonStrings.TryGet(root, "result", out var result))
        {
            return null;
        }

        var kind = JsonStrings.Get(result, "kind");
        var state = kind == "message" ? "message" : kind == "task" && JsonStrings.TryGet(result, "status", out var status) ? JsonStrings.Get(status, "state") : null;
        if (state is null || (state != "message" && !EndsAnswer(state)))
        {
            return null;
        }

        var answer = new DecodedMessage();
        answer.Append(new ContractEvent
        {
            Raw = default,
            Id = JsonStrings.Get(result, "id"),
            Model = JsonStrings.Get(result, "contextId"),
            Finishes = [(0, state)],
            Parts = [.. kind == "message" ? [new ContractPart(new BlockKey(0, Channel.Other, 0), "", Raw: result.GetRawText())] : Artifacts(result)],
        });
        return answer;
    }

    public int HeartbeatLength(ReadOnlyMemory<byte> bytes) => bytes.Span.StartsWith(Heartbeat) ? Heartbeat.Length : 0;

    public string? CheckErrorEnding(IReadOnlyList<ContractEvent> events) =>
        events.Count > 1 ? "something follows the error event"
        : SseBlock.TryRead(events[0].Raw, isStart: true, out var block) && IsErrorBody(block.Data) ? null
        : "the error event is no JSON-RPC error";

    public bool IsErrorBody(byte[] body) =>
        ContractJson.Object(body) is { } root && JsonStrings.Get(root, "jsonrpc") == "2.0" && root.TryGetProperty("id", out _)
        && JsonStrings.TryGet(root, "error", out var error) && ContractJson.Number(error, "code") is not null && ContractJson.IsNonEmpty(error, "message");

    public void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations)
    {
        var first = ContractText.Put(delivered);
        var mine = ContractText.Put(added);
        ContractText.CompareIdentity("task", first.Ids, mine.Ids, answer.Ids, violations);
        ContractText.CompareIdentity("context", first.Models, mine.Models, answer.Models, violations);
        if (added.Any(e => e.Is(EventTraits.Finish) && !e.Is(EventTraits.Done)))
        {
            violations.Add(6, "a status that ends the task and is not final");
        }

        foreach (var e in added)
        {
            if (SseBlock.TryRead(e.Raw, isStart: true, out var block) && ContractJson.Object(block.Data) is { } root
                && (!root.TryGetProperty("id", out var id) || id.GetRawText() != (request.Tag ?? "null") || JsonStrings.Get(root, "jsonrpc") != "2.0"))
            {
                violations.Add(6, "a response that is not to the client's call");
            }
        }
    }

    /// <summary>Whether an agent says no more in this state: it is done, or waits for its client.</summary>
    public static bool EndsAnswer(string? state) => state is not null && (Ended.Contains(state) || Waiting.Contains(state));

    private static IEnumerable<ContractPart> Artifacts(JsonElement task)
    {
        var position = 0;
        foreach (var artifact in ContractJson.Array(task, "artifacts"))
        {
            foreach (var part in A2AStream.Parts(artifact, position))
            {
                yield return part;
            }

            position++;
        }
    }
}
