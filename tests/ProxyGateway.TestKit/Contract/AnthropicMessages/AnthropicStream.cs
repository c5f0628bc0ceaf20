using System.Text;
using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.AnthropicMessages;

/// <summary>
/// The grammar of a message stream: <c>message_start</c>, blocks that are started, filled and stopped in the order of their
/// indexes, one <c>message_delta</c> with the stop reason, <c>message_stop</c>; pings anywhere.
/// </summary>
internal sealed class AnthropicStream : ContractStream
{
    private static readonly HashSet<string> Grammar =
        ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"];

    private readonly List<Block> _blocks = [];
    private bool _started;
    private bool _stopReason;
    private bool _unknown;

    /// <summary>A signature covers the whole of what was thought.</summary>
    public override bool CanBeJoined => !_unknown && !_blocks.Exists(b => b.Type == "thinking" && b.Open && !b.Signed);

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

        var type = JsonStrings.Get(root, "type");
        if (block.EventName == "error" || type == "error" || JsonStrings.TryGet(root, "error", out _))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
        }

        type ??= block.EventName == "message_stop" ? block.EventName : null;
        var (said, named) = (type is not null && Grammar.Contains(type), Grammar.Contains(block.EventName));
        if (!said && !named)
        {
            return new ContractEvent { Raw = block.Raw };
        }

        return said && named ? Read(block, root, type!) : Problem(block, 1, $"an event of the message under the name `{block.EventName}`: clients drop it");
    }

    private ContractEvent Read(SseBlock block, JsonElement root, string type) => type switch
    {
        "message_start" => Start(block, root),
        "content_block_start" => BlockStart(block, root),
        "content_block_delta" => BlockDelta(block, root),
        "content_block_stop" => BlockStop(block, root),
        "message_delta" => MessageDelta(block, root),
        _ => Stop(block),
    };

    private static ContractEvent Problem(SseBlock block, int rule, string text, bool isFault = true, EventTraits traits = EventTraits.None) =>
        new() { Raw = block.Raw, Traits = traits, Problem = new GrammarProblem(rule, text, isFault) };

    private static ContractEvent Malformed(SseBlock block) => new() { Raw = block.Raw, Traits = EventTraits.Malformed };

    private ContractEvent Start(SseBlock block, JsonElement root)
    {
        if (_started)
        {
            return Problem(block, 6, "a second message_start: clients lose what they have");
        }

        if (!JsonStrings.TryGet(root, "message", out var message) || message.ValueKind != JsonValueKind.Object)
        {
            return Malformed(block);
        }

        _started = true;
        return new ContractEvent { Raw = block.Raw, Id = JsonStrings.Get(message, "id"), Model = JsonStrings.Get(message, "model"), Roles = [0] };
    }

    private ContractEvent BlockStart(SseBlock block, JsonElement root)
    {
        var index = ContractJson.Number(root, "index");
        if (index is null or < 0 || !JsonStrings.TryGet(root, "content_block", out var content) || JsonStrings.Get(content, "type") is not { Length: > 0 } type)
        {
            return Malformed(block);
        }

        if (!_started || _stopReason || index != _blocks.Count)
        {
            return Problem(block, 6, index == _blocks.Count ? $"block {index} begins outside of the message" : $"block {index} where {_blocks.Count} is next");
        }

        var channel = AnthropicBlocks.ChannelOf(type);
        var key = new BlockKey(0, channel, (int)index);
        var name = JsonStrings.Get(content, "name");
        if (channel == Channel.Tool && string.IsNullOrEmpty(name))
        {
            return Malformed(block);
        }

        var begun = new Block(key, type);
        _blocks.Add(begun);
        List<ContractPart> parts = [];
        var traits = EventTraits.Content;
        switch (type)
        {
            case "text" or "thinking" or "compaction":
                var text = JsonStrings.Get(content, type == "compaction" ? "content" : type) ?? "";
                begun.Text.Append(text);
                parts.Add(new ContractPart(key, text, Kind: type));
                parts.AddRange(ContractJson.Array(content, "citations").Select(c => new ContractPart(key, "", Kind: type, Raw: c.GetRawText())));
                traits = text.Length > 0 || parts.Count > 1 ? EventTraits.Content : EventTraits.None;
                break;
            case var _ when channel == Channel.Tool:
                // An input that is there at once stands in the place of the pieces.
                var whole = JsonStrings.TryGet(content, "input", out var input) && input.ValueKind == JsonValueKind.Object && input.EnumerateObject().Any() ? input.GetRawText() : "";
                begun.HasInput = whole.Length > 0;
                parts.Add(new ContractPart(key, whole, JsonStrings.Get(content, "id"), name, Kind: type));
                break;
            default:
                parts.Add(new ContractPart(key, "", Kind: type, Raw: content.GetRawText()));
                break;
        }

        return new ContractEvent { Raw = block.Raw, Traits = traits, Parts = parts };
    }

    private ContractEvent BlockDelta(SseBlock block, JsonElement root)
    {
        var index = ContractJson.Number(root, "index");
        if (index is null or < 0 || !JsonStrings.TryGet(root, "delta", out var delta) || JsonStrings.Get(delta, "type") is not { } type)
        {
            return Malformed(block);
        }

        if (index >= _blocks.Count || !_blocks[(int)index].Open)
        {
            return Problem(block, 6, $"a delta into block {index}, which is not open: clients ignore it");
        }

        var open = _blocks[(int)index];
        var (wanted, member) = type switch
        {
            "text_delta" => ("text", "text"),
            "input_json_delta" => ("tool_use", "partial_json"),
            "thinking_delta" => ("thinking", "thinking"),
            "signature_delta" => ("thinking", "signature"),
            "citations_delta" => ("text", "citation"),
            "compaction_delta" => ("compaction", "content"),
            _ => (null, ""),
        };
        if (wanted is not null && !open.Type.EndsWith(wanted, StringComparison.Ordinal))
        {
            return Problem(block, 6, $"{type} into a block of type {open.Type}");
        }

        if (type == "citations_delta")
        {
            return JsonStrings.TryGet(delta, member, out var citation)
                ? new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Parts = [new ContractPart(open.Key, "", Kind: open.Type, Raw: citation.GetRawText())] }
                : Malformed(block);
        }

        if (wanted is null)
        {
            _unknown = true;
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content };
        }

        if (JsonStrings.Get(delta, member) is not { } text)
        {
            return type is "signature_delta" or "compaction_delta" ? new ContractEvent { Raw = block.Raw } : Malformed(block);
        }

        var part = new ContractPart(open.Key, text, Kind: open.Type);
        if (type == "signature_delta")
        {
            open.Signed = text.Length > 0 && !open.Signed;
            part = new ContractPart(open.Key, "", Kind: open.Type, Raw: text.Length > 0 ? text : null);
        }
        else
        {
            open.Text.Append(text);
            open.Signed &= text.Length == 0;
        }

        return new ContractEvent { Raw = block.Raw, Traits = text.Length > 0 ? EventTraits.Content : EventTraits.None, Parts = [part] };
    }

    private ContractEvent BlockStop(SseBlock block, JsonElement root)
    {
        if (ContractJson.Number(root, "index") is not { } index || index < 0)
        {
            return Malformed(block);
        }

        if (index >= _blocks.Count || !_blocks[(int)index].Open)
        {
            return Problem(block, 6, $"the end of block {index}, which is not open", isFault: index >= _blocks.Count);
        }

        var open = _blocks[(int)index];
        if (open.Key.Channel == Channel.Tool && !open.HasInput && open.Text.Length > 0 && !IsJson(open.Text.ToString()))
        {
            return Problem(block, 7, $"the end of block {index}, whose input is cut");
        }

        open.Open = false;
        return new ContractEvent { Raw = block.Raw };
    }

    private ContractEvent MessageDelta(SseBlock block, JsonElement root)
    {
        var usage = JsonStrings.TryGet(root, "usage", out _) ? EventTraits.Usage : EventTraits.None;
        if (!JsonStrings.TryGet(root, "delta", out var delta) || JsonStrings.Get(delta, "stop_reason") is not { } reason)
        {
            return new ContractEvent { Raw = block.Raw, Traits = usage };
        }

        if (!_started || _stopReason)
        {
            return Problem(block, 6, _stopReason ? "a second stop reason" : "a stop reason without a message");
        }

        if (reason == "error")
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
        }

        if (StillOpen(block) is { } open)
        {
            return open;
        }

        _stopReason = true;
        return new ContractEvent { Raw = block.Raw, Traits = usage | EventTraits.Finish, Finishes = [(0, reason)] };
    }

    private ContractEvent Stop(SseBlock block) => StillOpen(block) ?? new ContractEvent { Raw = block.Raw, Traits = EventTraits.Done };

    private ContractEvent? StillOpen(SseBlock block) => _blocks.Find(b => b.Open) is { } open
        ? Problem(block, open.Type == "tool_use" ? 7 : 6, $"block {open.Key.Index} is open at the end: clients drop it", traits: EventTraits.Finish)
        : null;

    private static bool IsJson(string text)
    {
        try
        {
            JsonElement.Parse(text, ContractJson.Options);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private sealed class Block(BlockKey key, string type)
    {
        public BlockKey Key => key;

        public string Type => type;

        public bool Open { get; set; } = true;

        public StringBuilder Text { get; } = new();

        public bool HasInput { get; set; }

        public bool Signed { get; set; }
    }
}
