using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.Gemini;

/// <summary>The contract's view of Gemini's <c>streamGenerateContent</c>.</summary>
internal sealed class GeminiContract : IContractFormat
{
    public string Name => "gemini";

    /// <summary>There is no end marker, and one would make clients throw.</summary>
    public ReadOnlyMemory<byte> MissingEnd => default;

    public IReadOnlyCollection<string> ChangeableMembers { get; } = [];

    private static ReadOnlySpan<byte> Heartbeat => ": keepalive\n\n"u8;

    /// <summary>The path says whether it streams, and without <c>alt=sse</c> the answer is an array.</summary>
    public ContractRequest? ReadRequest(byte[] body, string? target = null)
    {
        if (ContractJson.Object(body) is not { } root)
        {
            return null;
        }

        var count = JsonStrings.TryGet(root, "generationConfig", out var config) ? ContractJson.Number(config, "candidateCount") : null;
        return new ContractRequest(
            target is null || (target.Contains(":streamGenerateContent", StringComparison.Ordinal) && target.Contains("alt=sse", StringComparison.Ordinal)),
            count is > 0 and var n ? (int)n : 1, true);
    }

    public ContractStream NewStream() => new Stream();

    public bool DoneSuffices(DecodedMessage message, TerminalRule terminal) => false;

    public bool IsFinished(DecodedMessage message, ContractRequest request) =>
        message.Finishes.ContainsKey(Refused) || (message.Finishes.Count >= request.Choices && message.Choices.All(message.Finishes.ContainsKey));

    public DecodedMessage? ReadAnswer(byte[] body)
    {
        if (ContractJson.Object(body) is not { } root || JsonStrings.TryGet(root, "error", out _))
        {
            return null;
        }

        var answer = new DecodedMessage { UsageCount = 1 };
        answer.Append(new ContractEvent { Raw = default, Id = JsonStrings.Get(root, "responseId"), Model = JsonStrings.Get(root, "modelVersion") });
        var position = 0;
        foreach (var candidate in ContractJson.Array(root, "candidates"))
        {
            var index = (int)(ContractJson.Number(candidate, "index") ?? position);
            position++;
            if (Reason(candidate, "finishReason") is not { } reason)
            {
                return null;
            }

            answer.Finishes[index] = reason;
            answer.Choices.Add(index);
            if (JsonStrings.TryGet(candidate, "content", out var content))
            {
                foreach (var part in new GeminiParts(index).Read(content))
                {
                    answer.Append(part);
                }
            }
        }

        if (position == 0 && JsonStrings.TryGet(root, "promptFeedback", out var feedback) && Reason(feedback, "blockReason") is { } blocked)
        {
            answer.Finishes[Refused] = blocked;
        }

        return answer.Finishes.Count > 0 ? answer : null;
    }

    public int HeartbeatLength(ReadOnlyMemory<byte> bytes) => bytes.Span.StartsWith(Heartbeat) ? Heartbeat.Length : 0;

    public string? CheckErrorEnding(IReadOnlyList<ContractEvent> events)
    {
        if (events.Count > 1)
        {
            return "something follows the error event";
        }

        if (!SseBlock.TryRead(events[0].Raw, isStart: true, out var block) || !block.Raw.Span.StartsWith("data:"u8))
        {
            return "the error event does not begin with `data:`, and clients read nothing else";
        }

        return IsErrorBody(block.Data) ? null : "the error event has no error of the format";
    }

    public bool IsErrorBody(byte[] body) =>
        ContractJson.Object(body) is { } root && JsonStrings.TryGet(root, "error", out var error)
        && ContractJson.Number(error, "code") is not null && ContractJson.IsNonEmpty(error, "message") && ContractJson.IsNonEmpty(error, "status");

    public void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations)
    {
        var first = ContractText.Put(delivered);
        var mine = ContractText.Put(added);
        var got = ContractText.Put(delivered.Concat(added));
        ContractText.CompareIdentity("responseId", first.Ids, mine.Ids, answer.Ids, violations);
        ContractText.CompareIdentity("modelVersion", first.Models, mine.Models, answer.Models, violations);
        ContractText.CompareTools(first, got, answer, ContractJson.IsSame, violations);
        var finished = new HashSet<int>(first.Finishes.Keys);
        foreach (var e in added)
        {
            if (!e.Raw.Span.StartsWith("data:"u8))
            {
                violations.Add(1, "an event that does not begin with `data:`: clients lose it");
            }

            if (e.Parts.Any(p => finished.Contains(p.Block.Choice)))
            {
                violations.Add(6, "content after a finish reason");
            }

            if (e.Finishes.Any(f => !finished.Add(f.Choice)))
            {
                violations.Add(6, "a second finish reason");
            }
        }

        if (!finished.IsSupersetOf(answer.Finishes.Keys))
        {
            violations.Add(6, "a candidate has no finish reason");
        }
    }

    /// <summary>Stands for the candidate that a refused prompt does not have.</summary>
    private const int Refused = -1;

    private static string? Reason(JsonElement parent, string name) =>
        JsonStrings.Get(parent, name) is { Length: > 0 } reason && !reason.EndsWith("_UNSPECIFIED", StringComparison.Ordinal) ? reason : null;

    private sealed class Stream : ContractStream
    {
        private readonly Dictionary<int, GeminiParts> _candidates = [];
        private bool _other;

        /// <summary>An image, code, a call in pieces: nothing that could be compared.</summary>
        public override bool CanBeJoined => !_other;

        public override ContractEvent Read(SseBlock block)
        {
            if (ContractText.WithoutData(block) is { } nothing)
            {
                return nothing;
            }

            if (ContractText.NotAnObject(block, out var root) is { } bad)
            {
                return block.EventName == "error" && !bad.Is(EventTraits.Optional) ? new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error } : bad;
            }

            if (block.EventName == "error" || JsonStrings.TryGet(root, "error", out _))
            {
                return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
            }

            List<ContractPart> parts = [];
            List<(int, string)> finishes = [];
            GrammarProblem? problem = null;
            foreach (var candidate in ContractJson.Array(root, "candidates"))
            {
                var index = (int)(ContractJson.Number(candidate, "index") ?? 0);
                if (!_candidates.TryGetValue(index, out var known))
                {
                    _candidates[index] = known = new GeminiParts(index);
                }

                if (JsonStrings.TryGet(candidate, "content", out var content))
                {
                    parts.AddRange(known.Read(content));
                }

                if (Reason(candidate, "finishReason") is { } reason)
                {
                    finishes.Add((index, reason));
                    problem ??= known.CallIsOpen ? new GrammarProblem(7, "a finish in the middle of a call", IsFault: true) : null;
                }
            }

            if (JsonStrings.TryGet(root, "promptFeedback", out var feedback) && Reason(feedback, "blockReason") is { } blocked)
            {
                finishes.Add((Refused, blocked));
            }

            _other |= parts.Exists(p => p.Block.Channel == Channel.Other);
            return new ContractEvent
            {
                Raw = block.Raw,
                Traits = (parts.Count > 0 ? EventTraits.Content : 0) | (finishes.Count > 0 ? EventTraits.Finish : 0),
                Id = JsonStrings.Get(root, "responseId"),
                Model = JsonStrings.Get(root, "modelVersion"),
                Parts = parts,
                Finishes = finishes,
                Problem = problem,
            };
        }
    }
}
