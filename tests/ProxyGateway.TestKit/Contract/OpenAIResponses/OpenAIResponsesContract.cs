using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIResponses;

/// <summary>The contract's view of OpenAI Responses.</summary>
internal sealed class OpenAIResponsesContract : IContractFormat
{
    public string Name => "openai-responses";

    /// <summary>The terminal is the last event.</summary>
    public ReadOnlyMemory<byte> MissingEnd => default;

    public IReadOnlyCollection<string> ChangeableMembers { get; } = ["stream", "stream_options", "model"];

    private static ReadOnlySpan<byte> Heartbeat => ": keepalive\n"u8;

    public ContractRequest? ReadRequest(byte[] body, string? target = null) => ContractJson.Object(body) is { } root
        ? new ContractRequest(JsonStrings.TryGet(root, "stream", out var stream) && stream.ValueKind == JsonValueKind.True, 1, true)
        : null;

    public bool CallsEndWhole => true;

    public ContractStream NewStream() => new ResponsesStream();

    public bool DoneSuffices(DecodedMessage message, TerminalRule terminal) => terminal == TerminalRule.Done && message.HasContent;

    public bool IsFinished(DecodedMessage message, ContractRequest request) => message.Finishes.Count > 0;

    public DecodedMessage? ReadAnswer(byte[] body) => ResponseItems.ReadAnswer(body);

    public int HeartbeatLength(ReadOnlyMemory<byte> bytes) => bytes.Span.StartsWith(Heartbeat) ? Heartbeat.Length : 0;

    /// <summary>Two events: no single one is heard by all clients.</summary>
    public string? CheckErrorEnding(IReadOnlyList<ContractEvent> events)
    {
        if (events.Count != 2)
        {
            return events.Count < 2 ? "response.failed is missing, without which agents notice nothing" : "something follows the error events";
        }

        if (Read(events[0], "error") is not { } error || !HasError(error) || !JsonStrings.TryGet(error, "error", out var nested) || !HasError(nested) || !ContractJson.IsNonEmpty(nested, "type"))
        {
            return "the error event lacks its code, its message or the nested error";
        }

        return Read(events[1], "response.failed") is { } failed && JsonStrings.TryGet(failed, "response", out var response)
            && JsonStrings.Get(response, "status") == "failed" && JsonStrings.TryGet(response, "error", out var why) && HasCode(why)
            ? null
            : "response.failed lacks the failed response";
    }

    public bool IsErrorBody(byte[] body) =>
        ContractJson.Object(body) is { } root && JsonStrings.TryGet(root, "error", out var error) && HasError(error) && ContractJson.IsNonEmpty(error, "type");

    public void CompareText(DecodedMessage got, DecodedMessage answer, bool whole, ViolationList violations)
    {
        ContractText.Compare(got, answer, whole, violations);
        foreach (var (key, frame) in got.Blocks.Where(b => b.Key.Channel == Channel.Frame))
        {
            if (!answer.Blocks.TryGetValue(key, out var wanted) || wanted.Kind != frame.Kind)
            {
                violations.Add(5, $"item {key.Choice} is not in the replay");
            }
        }

        foreach (var key in answer.Blocks.Keys.Where(k => whole && k.Channel == Channel.Frame && !got.Blocks.ContainsKey(k)))
        {
            violations.Add(5, $"item {key.Choice} of the replay is missing");
        }
    }

    public void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations)
    {
        var first = ContractText.Put(delivered);
        var mine = ContractText.Put(added);
        var got = ContractText.Put(delivered.Concat(added));
        ContractText.CompareIdentity("id", first.Ids, mine.Ids, answer.Ids, violations);
        ContractText.CompareIdentity("model", first.Models, mine.Models, answer.Models, violations);
        ContractText.CompareTools(first, got, answer, static (one, other) => one == other, violations);
        if (mine.UsageCount == 0 && answer.UsageCount > 0)
        {
            violations.Add(6, "no usage");
        }
    }

    private static bool HasCode(JsonElement error) => ContractJson.IsNonEmpty(error, "code") && ContractJson.IsNonEmpty(error, "message");

    private static bool HasError(JsonElement error) => HasCode(error) && error.TryGetProperty("param", out _);

    private static JsonElement? Read(ContractEvent e, string type) =>
        SseBlock.TryRead(e.Raw, isStart: true, out var block) && block.EventName == type && ContractJson.Object(block.Data) is { } root && JsonStrings.Get(root, "type") == type ? root : null;
}
