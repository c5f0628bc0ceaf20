using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIChat;

/// <summary>The contract's view of OpenAI Chat Completions.</summary>
internal sealed class OpenAIChatContract : IContractFormat
{
    private static readonly byte[] DoneEvent = "data: [DONE]\n\n"u8.ToArray();

    public string Name => "openai-chat";

    public ReadOnlyMemory<byte> MissingEnd => DoneEvent;

    public IReadOnlyCollection<string> ChangeableMembers { get; } = ["stream", "stream_options", "model"];

    private static ReadOnlySpan<byte> Heartbeat => ": keepalive\n"u8;

    public ContractRequest? ReadRequest(byte[] body, string? target = null)
    {
        try
        {
            using var document = JsonDocument.Parse(body, ContractJson.Options);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            return new ContractRequest(
                root.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True,
                root.TryGetProperty("n", out var n) && n.ValueKind == JsonValueKind.Number && n.TryGetInt32(out var choices) && choices > 0 ? choices : 1,
                JsonStrings.TryGet(root, "stream_options", out var options) && JsonStrings.TryGet(options, "include_usage", out var include) && include.ValueKind == JsonValueKind.True);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public bool ArgumentsMayBeMissing => true;

    public ContractStream NewStream() => new Stream();

    public bool DoneSuffices(DecodedMessage message, TerminalRule terminal) => terminal != TerminalRule.FinishReason && message.Choices.Count > 0;

    public bool IsFinished(DecodedMessage message, ContractRequest request)
    {
        if (message.Finishes.Count < request.Choices)
        {
            return false;
        }

        foreach (var choice in message.Choices)
        {
            if (!message.Finishes.ContainsKey(choice))
            {
                return false;
            }
        }

        return true;
    }

    public DecodedMessage? ReadAnswer(byte[] body) => OpenAIChatAnswers.Read(body);

    public int HeartbeatLength(ReadOnlyMemory<byte> bytes) => bytes.Span.StartsWith(Heartbeat) ? Heartbeat.Length : 0;

    public string? CheckErrorEnding(IReadOnlyList<ContractEvent> events)
    {
        if (events.Count > 1)
        {
            return "something follows the error event";
        }

        if (!SseBlock.TryRead(events[0].Raw, isStart: true, out var block))
        {
            return "the error event is not whole";
        }

        using var document = JsonDocument.Parse(block.Data, ContractJson.Options);
        var root = document.RootElement;
        if (!root.TryGetProperty("choices", out var choices) || choices.ValueKind != JsonValueKind.Null)
        {
            return "the error event lacks `choices: null`, without which some clients do not notice it";
        }

        return !JsonStrings.TryGet(root, "error", out var error) ? "the error event has no error" : CheckErrorObject(error);
    }

    public bool IsErrorBody(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, ContractJson.Options);
            return JsonStrings.TryGet(document.RootElement, "error", out var error) && CheckErrorObject(error) is null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations) =>
        new OpenAIChatContinuation(delivered, added, answer, request, violations).Check();

    /// <summary>A chunk can be read without those before it.</summary>
    private sealed class Stream : ContractStream
    {
        public override ContractEvent Read(SseBlock block) => OpenAIChatEvents.Read(block);
    }

    private static string? CheckErrorObject(JsonElement error)
    {
        if (JsonStrings.Get(error, "message") is not { Length: > 0 } || JsonStrings.Get(error, "type") is not { Length: > 0 } || JsonStrings.Get(error, "code") is not { Length: > 0 })
        {
            return "the error lacks message, type or code";
        }

        return error.TryGetProperty("param", out _) ? null : "the error lacks param";
    }
}
