using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.AnthropicMessages;

/// <summary>The contract's view of Anthropic Messages.</summary>
internal sealed class AnthropicMessagesContract : IContractFormat
{
    /// <summary>The same values in the same order; how their strings are escaped says nothing.</summary>
    private static bool SameRaws(List<string> one, List<string> other) => one.Count == other.Count && one.Zip(other).All(p => ContractJson.IsSame(p.First, p.Second));

    private static readonly byte[] StopEvent = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8.ToArray();

    public string Name => "anthropic-messages";

    public ReadOnlyMemory<byte> MissingEnd => StopEvent;

    public IReadOnlyCollection<string> ChangeableMembers { get; } = ["stream", "model"];

    private static ReadOnlySpan<byte> Heartbeat => "event: ping\ndata: {\"type\":\"ping\"}\n\n"u8;

    public ContractRequest? ReadRequest(byte[] body, string? target = null) => ContractJson.Object(body) is { } root
        ? new ContractRequest(JsonStrings.TryGet(root, "stream", out var stream) && stream.ValueKind == JsonValueKind.True, 1, true)
        : null;

    public ContractStream NewStream() => new AnthropicStream();

    public bool DoneSuffices(DecodedMessage message, TerminalRule terminal) => terminal != TerminalRule.FinishReason && message.HasContent;

    public bool IsFinished(DecodedMessage message, ContractRequest request) => message.Finishes.Count > 0;

    public DecodedMessage? ReadAnswer(byte[] body) => AnthropicBlocks.ReadAnswer(body);

    public int HeartbeatLength(ReadOnlyMemory<byte> bytes) => bytes.Span.StartsWith(Heartbeat) ? Heartbeat.Length : 0;

    public string? CheckErrorEnding(IReadOnlyList<ContractEvent> events)
    {
        if (events.Count > 1)
        {
            return "something follows the error event";
        }

        if (!SseBlock.TryRead(events[0].Raw, isStart: true, out var block) || block.EventName != "error")
        {
            return "the error event lacks its `event:` line, without which most clients do not notice it";
        }

        return IsErrorBody(block.Data) ? null : "the error event has no error of the format";
    }

    public bool IsErrorBody(byte[] body) =>
        ContractJson.Object(body) is { } root && JsonStrings.Get(root, "type") == "error" && JsonStrings.TryGet(root, "error", out var error)
        && ContractJson.IsNonEmpty(error, "type") && ContractJson.IsNonEmpty(error, "message");

    /// <summary>
    /// Blocks are compared in order; thinking differs from run to run, so thinking that the client has stands in the place of
    /// the replay's at that point.
    /// </summary>
    public void CompareText(DecodedMessage got, DecodedMessage answer, bool whole, ViolationList violations)
    {
        foreach (var (mine, wanted, isLast) in Pairs(got, answer))
        {
            if (mine.Channel == Channel.Reasoning)
            {
                continue;
            }

            if (wanted is not { } key || got.Blocks[mine].Kind != answer.Blocks[key].Kind)
            {
                violations.Add(mine.Channel == Channel.Tool ? 7 : 5, $"{mine} is not what the replay has there");
                return;
            }

            var (text, all) = (got.Blocks[mine].Text.ToString(), answer.Blocks[key].Text.ToString());
            if (mine.Channel != Channel.Tool && (whole || !isLast ? text != all : !all.StartsWith(text, StringComparison.Ordinal)))
            {
                violations.Add(5, $"{mine} is not what the replay said");
            }
        }

        if (whole && Missing(got, answer) is { } missing)
        {
            violations.Add(missing.Channel == Channel.Tool ? 7 : 5, $"{missing} of the replay is missing");
        }
    }

    public void CheckContinuation(IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations)
    {
        var first = ContractText.Put(delivered);
        var mine = ContractText.Put(added);
        var got = ContractText.Put(delivered.Concat(added));
        ContractText.CompareIdentity("id", first.Ids, mine.Ids, answer.Ids, violations);
        ContractText.CompareIdentity("model", first.Models, mine.Models, answer.Models, violations);
        CheckThinking(first, mine, got, answer, delivered, added, violations);
        CheckTools(first, got, answer, violations);
        if (mine.UsageCount > 1)
        {
            violations.Add(6, "usage more than once");
        }
        else if (mine.UsageCount == 0 && first.Finishes.Count == 0)
        {
            violations.Add(6, "no usage");
        }

        foreach (var e in added.Where(e => e.Roles.Count > 0))
        {
            CheckMadeStart(e, violations);
        }
    }

    /// <summary>Clients add the usage of the start and of the end up.</summary>
    private static void CheckMadeStart(ContractEvent e, ViolationList violations)
    {
        if (SseBlock.TryRead(e.Raw, isStart: true, out var block) && ContractJson.Object(block.Data) is { } root
            && JsonStrings.TryGet(root, "message", out var message) && JsonStrings.TryGet(message, "usage", out var usage)
            && ContractJson.Number(usage, "output_tokens") is > 1)
        {
            violations.Add(6, "the output is counted twice");
        }
    }

    /// <summary>A signature covers what stands before it; more thinking, or another signature, makes it that of nothing.</summary>
    private static bool EndsSigned(IReadOnlyList<ContractEvent> delivered, BlockKey key)
    {
        var signed = false;
        foreach (var part in delivered.SelectMany(e => e.Parts).Where(p => p.Block == key && (p.Raw is not null || p.Text.Length > 0)))
        {
            signed = part.Raw is not null && !signed;
        }

        return signed;
    }

    private static void CheckThinking(
        DecodedMessage first, DecodedMessage mine, DecodedMessage got, DecodedMessage answer,
        IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, ViolationList violations)
    {
        foreach (var key in first.Blocks.Where(b => b.Value.Kind == "thinking").Select(b => b.Key))
        {
            if (mine.Blocks.ContainsKey(key))
            {
                violations.Add(5, $"{key} was cut and gone on with: its signature covers the whole");
            }
            else if (!EndsSigned(delivered, key) && added.Any(e => Stops(e, key.Index)) && !delivered.Any(e => Stops(e, key.Index)))
            {
                violations.Add(5, $"{key} was cut and closed without its signature");
            }
        }

        foreach (var (own, wanted, _) in Pairs(got, answer))
        {
            if (own.Channel == Channel.Reasoning && !first.Blocks.ContainsKey(own)
                && (wanted is not { } key || !got.Blocks[own].Text.Equals(answer.Blocks[key].Text) || !SameRaws(got.Blocks[own].Raws, answer.Blocks[key].Raws)))
            {
                violations.Add(5, $"{own} is not what the replay thought");
            }
        }
    }

    private static bool Stops(ContractEvent e, int index) =>
        !e.Is(EventTraits.NoData) && e.Raw.Span.IndexOf("\"content_block_stop\""u8) >= 0
        && SseBlock.TryRead(e.Raw, isStart: true, out var block) && ContractJson.Object(block.Data) is { } root && ContractJson.Number(root, "index") == index;

    private static void CheckTools(DecodedMessage first, DecodedMessage got, DecodedMessage answer, ViolationList violations)
    {
        foreach (var (own, wanted, _) in Pairs(got, answer))
        {
            if (wanted is not { } key)
            {
                continue;
            }

            var (mine, replayed) = (got.Blocks[own], answer.Blocks[key]);
            if (own.Channel == Channel.Tool)
            {
                if (!mine.ToolName.Equals(replayed.ToolName) || !ContractJson.IsSame(mine.Text.ToString(), replayed.Text.ToString()))
                {
                    violations.Add(7, $"{own} has another name or other input than the answer that was replayed");
                }
                else if (!first.Blocks.ContainsKey(own) && replayed.ToolId is not null && mine.ToolId != replayed.ToolId)
                {
                    violations.Add(7, $"{own} has another id than the answer that was replayed");
                }
            }
            else if (own.Channel != Channel.Reasoning && mine.Raws.Count != replayed.Raws.Count)
            {
                violations.Add(5, $"{own} has other citations or results than the replay");
            }
        }
    }

    /// <summary>The client's blocks in order, each with the replay's block in whose place it stands.</summary>
    private static IEnumerable<(BlockKey Mine, BlockKey? Wanted, bool IsLast)> Pairs(DecodedMessage got, DecodedMessage answer)
    {
        var (mine, all) = (InOrder(got), InOrder(answer));
        var next = 0;
        var run = -1;
        for (var i = 0; i < mine.Count; i++)
        {
            if (mine[i].Channel == Channel.Reasoning)
            {
                run = run < 0 ? i : run;
                var at = next + i - run;
                yield return (mine[i], at < all.Count && all[at].Channel == Channel.Reasoning ? all[at] : null, false);
                continue;
            }

            while (run >= 0 && next < all.Count && all[next].Channel == Channel.Reasoning)
            {
                next++;
            }

            run = -1;
            yield return (mine[i], next < all.Count ? all[next] : null, i == mine.Count - 1);
            next++;
        }
    }

    private static BlockKey? Missing(DecodedMessage got, DecodedMessage answer)
    {
        var (mine, all) = (InOrder(got), InOrder(answer));
        var said = mine.Count(k => k.Channel != Channel.Reasoning);
        var missing = all.Where(k => k.Channel != Channel.Reasoning).Skip(said).Cast<BlockKey?>().FirstOrDefault();
        return missing ?? (all.Exists(k => k.Channel == Channel.Reasoning) && !mine.Exists(k => k.Channel == Channel.Reasoning) ? all.Find(k => k.Channel == Channel.Reasoning) : null);
    }

    private static List<BlockKey> InOrder(DecodedMessage message) => [.. message.Blocks.Keys.OrderBy(k => k.Index)];
}
