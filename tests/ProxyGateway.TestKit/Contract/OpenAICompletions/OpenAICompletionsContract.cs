using System.Text.Json;
using ProxyGateway.TestKit.Contract.OpenAIChat;

namespace ProxyGateway.TestKit.Contract.OpenAICompletions;

/// <summary>The contract's view of legacy OpenAI completions; endings, errors and heartbeats are those of the chat.</summary>
internal sealed class OpenAICompletionsContract : IContractFormat
{
    private static readonly OpenAIChatContract Chat = new();

    public string Name => "openai-completions";

    public ReadOnlyMemory<byte> MissingEnd => Chat.MissingEnd;

    public IReadOnlyCollection<string> ChangeableMembers => Chat.ChangeableMembers;

    public ContractRequest? ReadRequest(byte[] body, string? target = null) =>
        Chat.ReadRequest(body) is { } request && ContractJson.Object(body) is { } root
            ? request with { Choices = request.Choices * Prompts(root) }
            : null;

    public ContractStream NewStream() => new Stream();

    public bool DoneSuffices(DecodedMessage message, TerminalRule terminal) => Chat.DoneSuffices(message, terminal);

    public bool IsFinished(DecodedMessage message, ContractRequest request) => Chat.IsFinished(message, request);

    public DecodedMessage? ReadAnswer(byte[] body)
    {
        if (ContractJson.Object(body) is not { } root || JsonStrings.TryGet(root, "error", out _) || !ContractJson.Array(root, "choices").Any())
        {
            return null;
        }

        var answer = new DecodedMessage { UsageCount = HasUsage(root) ? 1 : 0 };
        answer.Append(new ContractEvent { Raw = default, Id = JsonStrings.Get(root, "id"), Model = JsonStrings.Get(root, "model") });
        var position = 0;
        foreach (var choice in ContractJson.Array(root, "choices"))
        {
            var index = OpenAIChatEvents.Index(choice, position++);
            if (JsonStrings.Get(choice, "finish_reason") is not { Length: > 0 } reason || reason == "error" || JsonStrings.Get(choice, "text") is not { } text)
            {
                return null;
            }

            answer.Finishes[index] = reason;
            answer.Append(new ContractPart(new BlockKey(index, Channel.Text, 0), text));
        }

        return answer;
    }

    public int HeartbeatLength(ReadOnlyMemory<byte> bytes) => Chat.HeartbeatLength(bytes);

    public string? CheckErrorEnding(IReadOnlyList<ContractEvent> events) => Chat.CheckErrorEnding(events);

    public bool IsErrorBody(byte[] body) => Chat.IsErrorBody(body);

    public void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations)
    {
        var first = ContractText.Put(delivered);
        var mine = ContractText.Put(added);
        ContractText.CompareIdentity("id", first.Ids, mine.Ids, answer.Ids, violations);
        ContractText.CompareIdentity("model", first.Models, mine.Models, answer.Models, violations);
        if (mine.Createds.Count > 1 || (first.Createds.Count > 0 && !mine.Createds.IsSubsetOf(first.Createds)))
        {
            violations.Add(6, "more than one created");
        }

        CheckOrder(added, first, answer, violations);
        var usage = mine.UsageCount;
        if (usage > 1 || (usage == 1 && delivered.Any(e => e.Is(EventTraits.UsageReport))))
        {
            violations.Add(6, "usage more than once");
        }
        else if (usage == 1 && !request.IncludeUsage && first.UsageCount == 0)
        {
            violations.Add(6, "usage although the client did not ask for it");
        }
        else if (usage == 0 && first.UsageCount == 0 && request.IncludeUsage && answer.UsageCount > 0)
        {
            violations.Add(6, "no usage although the client asked for it");
        }
    }

    private static void CheckOrder(IReadOnlyList<ContractEvent> added, DecodedMessage first, DecodedMessage answer, ViolationList violations)
    {
        var finished = new HashSet<int>(first.Finishes.Keys);
        foreach (var e in added)
        {
            if (!e.Is(EventTraits.Done) && (e.Id is null || e.Model is null || e.Created is null || e.Is(EventTraits.Optional)))
            {
                violations.Add(6, "an event the gateway made lacks id, model, created or choices");
            }

            if (e.Parts.Any(p => finished.Contains(p.Block.Choice) && p.Text.Length > 0))
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
            violations.Add(6, "a choice has no finish reason");
        }
    }

    /// <summary>A string or tokens are one prompt; a list of either is as many as it has.</summary>
    private static int Prompts(JsonElement root)
    {
        var prompts = ContractJson.Array(root, "prompt").ToList();
        return prompts.Count == 0 || prompts.Exists(p => p.ValueKind == JsonValueKind.Number) ? 1 : prompts.Count;
    }

    private static bool HasUsage(JsonElement root) => JsonStrings.TryGet(root, "usage", out var usage) && usage.ValueKind == JsonValueKind.Object;

    private sealed class Stream : ContractStream
    {
        public override ContractEvent Read(SseBlock block)
        {
            if (ContractText.WithoutData(block) is { } nothing)
            {
                return nothing;
            }

            if (block.Data.AsSpan().Trim((byte)' ').SequenceEqual("[DONE]"u8))
            {
                return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Done };
            }

            if (ContractText.NotAnObject(block, out var root) is { } bad)
            {
                return bad;
            }

            if (JsonStrings.TryGet(root, "error", out _) || JsonStrings.Get(root, "object") == "error" || block.EventName == "error")
            {
                return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
            }

            return Read(block, root);
        }

        private static ContractEvent Read(SseBlock block, JsonElement root)
        {
            var traits = HasUsage(root) ? EventTraits.Usage : EventTraits.None;
            if (!JsonStrings.TryGet(root, "choices", out var choices) || choices.ValueKind != JsonValueKind.Array)
            {
                return new ContractEvent { Raw = block.Raw, Traits = traits | EventTraits.Optional };
            }

            traits |= traits != 0 && choices.GetArrayLength() == 0 ? EventTraits.UsageReport : 0;
            List<ContractPart> parts = [];
            List<(int, string)> finishes = [];
            foreach (var choice in choices.EnumerateArray())
            {
                var index = OpenAIChatEvents.Index(choice);
                var text = JsonStrings.Get(choice, "text") ?? "";
                parts.Add(new ContractPart(new BlockKey(index, Channel.Text, 0), text));
                traits |= text.Length > 0 ? EventTraits.Content : 0;
                if (JsonStrings.Get(choice, "finish_reason") is { Length: > 0 } reason)
                {
                    finishes.Add((index, reason));
                    traits |= reason == "error" ? EventTraits.Error : EventTraits.Finish;
                }
            }

            return new ContractEvent
            {
                Raw = block.Raw,
                Traits = traits,
                Id = JsonStrings.Get(root, "id"),
                Model = JsonStrings.Get(root, "model"),
                Created = ContractJson.Number(root, "created"),
                Parts = parts,
                Finishes = finishes,
            };
        }
    }
}
