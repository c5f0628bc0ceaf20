using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.Ollama;

/// <summary>The contract's view of Ollama's chat: one JSON document per line.</summary>
internal sealed class OllamaContract : IContractFormat
{
    public string Name => "ollama";

    public string StreamContentType => "application/x-ndjson";

    /// <summary>The line that finishes a stream is its last.</summary>
    public ReadOnlyMemory<byte> MissingEnd => default;

    public IReadOnlyCollection<string> ChangeableMembers { get; } = ["stream", "model"];

    /// <summary>Clients cut lines at LF and at nothing else.</summary>
    public bool TryReadBlock(ReadOnlyMemory<byte> stream, bool isStart, out SseBlock block) => SseBlock.TryReadLine(stream, isStart, out block);

    public ContractRequest? ReadRequest(byte[] body, string? target = null) => ContractJson.Object(body) is { } root
        ? new ContractRequest(!JsonStrings.TryGet(root, "stream", out var stream) || stream.ValueKind != JsonValueKind.False, 1, true)
        : null;

    public ContractStream NewStream() => new Stream();

    public bool DoneSuffices(DecodedMessage message, TerminalRule terminal) => terminal != TerminalRule.FinishReason;

    public bool IsFinished(DecodedMessage message, ContractRequest request) => message.Finishes.Count > 0;

    public DecodedMessage? ReadAnswer(byte[] body)
    {
        if (ContractJson.Object(body) is not { } root || JsonStrings.TryGet(root, "error", out _)
            || !JsonStrings.TryGet(root, "done", out var done) || done.ValueKind != JsonValueKind.True
            || !JsonStrings.TryGet(root, "message", out var message) || message.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var answer = new DecodedMessage { UsageCount = 1 };
        answer.Append(new ContractEvent { Raw = default, Model = JsonStrings.Get(root, "model"), Finishes = [(0, JsonStrings.Get(root, "done_reason") ?? "")], Parts = [.. Parts(message, 0)] });
        return answer;
    }

    /// <summary>A line that says nothing, as Ollama itself sends them.</summary>
    public int HeartbeatLength(ReadOnlyMemory<byte> bytes) =>
        TryReadBlock(bytes, isStart: true, out var block) && ContractJson.Object(block.Data) is { } root
        && !JsonStrings.TryGet(root, "error", out _)
        && JsonStrings.TryGet(root, "done", out var done) && done.ValueKind == JsonValueKind.False
        && JsonStrings.Get(root, "model") is not null && JsonStrings.Get(root, "created_at") is not null
        && JsonStrings.TryGet(root, "message", out var message) && JsonStrings.Get(message, "role") == "assistant" && JsonStrings.Get(message, "content") is { Length: 0 }
        && message.EnumerateObject().Count() == 2
            ? block.Raw.Length
            : 0;

    public string? CheckErrorEnding(IReadOnlyList<ContractEvent> events) =>
        events.Count > 1 ? "something follows the error line"
        : TryReadBlock(events[0].Raw, isStart: true, out var block) && IsErrorBody(block.Data) ? null
        : "the error line has no error of the format";

    public bool IsErrorBody(byte[] body) => ContractJson.Object(body) is { } root && ContractJson.IsNonEmpty(root, "error");

    public void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations)
    {
        var first = ContractText.Put(delivered);
        var mine = ContractText.Put(added);
        var got = ContractText.Put(delivered.Concat(added));
        ContractText.CompareIdentity("model", first.Models, mine.Models, answer.Models, violations);
        ContractText.CompareTools(first, got, answer, ContractJson.IsSame, violations);
        foreach (var e in added)
        {
            if (e.Is(EventTraits.Optional) || e.Roles.Count == 0)
            {
                violations.Add(6, "a line without model, time, role or content, which strict clients require");
            }
        }
    }

    private static IEnumerable<ContractPart> Parts(JsonElement message, int calls)
    {
        if (JsonStrings.Get(message, "thinking") is { Length: > 0 } thinking)
        {
            yield return new ContractPart(new BlockKey(0, Channel.Reasoning, 0), thinking);
        }

        if (JsonStrings.Get(message, "content") is { Length: > 0 } content)
        {
            yield return new ContractPart(new BlockKey(0, Channel.Text, 0), content);
        }

        foreach (var call in ContractJson.Array(message, "tool_calls"))
        {
            JsonStrings.TryGet(call, "function", out var function);
            yield return new ContractPart(
                new BlockKey(0, Channel.Tool, calls++), JsonStrings.TryGet(function, "arguments", out var arguments) ? arguments.GetRawText() : "",
                JsonStrings.Get(call, "id"), JsonStrings.Get(function, "name"));
        }

        foreach (var image in ContractJson.Array(message, "images"))
        {
            yield return new ContractPart(new BlockKey(0, Channel.Other, 0), "", Raw: image.GetRawText());
        }
    }

    private sealed class Stream : ContractStream
    {
        private int _calls;

        public override ContractEvent Read(SseBlock block)
        {
            if (!block.HasData || block.Data.AsSpan().Trim(" \t\r\n"u8).IsEmpty)
            {
                return new ContractEvent { Raw = block.Raw, Traits = EventTraits.NoData };
            }

            if (ContractText.NotAnObject(block, out var root) is { } bad)
            {
                return bad;
            }

            if (JsonStrings.TryGet(root, "error", out _))
            {
                return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
            }

            JsonStrings.TryGet(root, "message", out var message);
            List<ContractPart> parts = [.. Parts(message, _calls)];
            _calls += parts.Count(p => p.Block.Channel == Channel.Tool);
            var traits = parts.Count > 0 ? EventTraits.Content : EventTraits.None;
            List<(int, string)> finishes = [];
            if (JsonStrings.TryGet(root, "done", out var done) && done.ValueKind == JsonValueKind.True)
            {
                traits |= EventTraits.Done;
                if (JsonStrings.Get(root, "done_reason") is { Length: > 0 } reason)
                {
                    traits |= EventTraits.Finish;
                    finishes.Add((0, reason));
                }
            }

            var isWhole = JsonStrings.Get(root, "model") is not null && JsonStrings.Get(root, "created_at") is not null && JsonStrings.Get(message, "role") is not null && JsonStrings.Get(message, "content") is not null;
            return new ContractEvent
            {
                Raw = block.Raw,
                Traits = traits,
                Model = JsonStrings.Get(root, "model"),
                Parts = parts,
                Roles = isWhole ? [0] : [],
                Finishes = finishes,
            };
        }
    }
}
