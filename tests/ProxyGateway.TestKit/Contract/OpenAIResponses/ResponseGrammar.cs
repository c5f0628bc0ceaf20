using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIResponses;

/// <summary>What the events of a response stream have built so far, and what the next one may be.</summary>
internal sealed partial class ResponseGrammar
{
    private readonly SortedDictionary<int, Item> _items = [];
    private long _number = -1;
    private string? _id;
    private bool _created;
    private bool _spoilt;

    public bool CanBeJoined => !_spoilt && _items.Values.All(i => i.Done || ResponseItems.HasParts(i.Type) || ResponseItems.InputOf(i.Type) is not null);

    /// <summary>What is wrong with the event's number.</summary>
    public GrammarProblem? Number(JsonElement root)
    {
        var number = ContractJson.Number(root, "sequence_number");
        var expected = _number + 1;
        // Where a server numbers from elsewhere or not at all, what is added to its stream is counted on from there.
        _number = number ?? expected;
        return number == expected ? null : new GrammarProblem(6, $"event {number?.ToString(CultureInfo.InvariantCulture) ?? "without a number"} where {expected} is next", IsFault: false);
    }

    public GrammarProblem? Start(JsonElement response, string type)
    {
        var id = JsonStrings.Get(response, "id");
        if (type == "response.created" && _created)
        {
            return Own("a second response.created");
        }

        if (type != "response.created" && !_created)
        {
            _created = true;
            _id ??= id;
            return Own("the response does not begin with response.created");
        }

        _created = true;
        return SameId(id) ?? (_items.Count == 0 ? null : new GrammarProblem(9, $"{type} after an item has begun: clients take its response for all there is", IsFault: false));
    }

    /// <summary>What is wrong with the response that an ending names.</summary>
    public GrammarProblem? Known(JsonElement root) =>
        JsonStrings.TryGet(root, "response", out var response) ? SameId(JsonStrings.Get(response, "id")) : null;

    public bool IsOpen(JsonElement root) => Find(root) is { Done: false };

    /// <summary>An end of a function call, or of the response, whose arguments are cut.</summary>
    public GrammarProblem? BrokenCall(JsonElement root, string type)
    {
        var broken = type switch
        {
            "response.function_call_arguments.done" => JsonStrings.Get(root, "arguments") is { } arguments && (ResponseItems.IsBroken(arguments) || IsOther(root, arguments)),
            "response.output_item.done" => JsonStrings.TryGet(root, "item", out var item)
                && (ResponseItems.IsBroken(item) || (JsonStrings.Get(item, "type") == "function_call" && JsonStrings.Get(item, "arguments") is { } whole && IsOther(root, whole))),
            "response.completed" or "response.incomplete" => HasBrokenCall(root),
            _ => false,
        };
        return broken ? new GrammarProblem(7, "the end of a call whose arguments are cut", IsFault: true) : null;
    }

    /// <summary>Whether the pieces of a call make other arguments than its end; some clients go by the pieces.</summary>
    private bool IsOther(JsonElement root, string arguments) => Find(root) is { Input.Length: > 0 } item && !ContractJson.IsSame(item.Input.ToString(), arguments);

    public ContractEvent Added(SseBlock block, JsonElement root, string type)
    {
        if (type == "response.output_item.added")
        {
            return ItemAdded(block, root);
        }

        var item = Find(root);
        if (type == "response.output_text.annotation.added")
        {
            JsonStrings.TryGet(root, "annotation", out var annotation);
            List<ContractPart> annotations = item is null || annotation.ValueKind == JsonValueKind.Undefined ? [] : [new ContractPart(PartKey(item, "output_text", root), "", Raw: annotation.GetRawText())];
            return annotation.ValueKind == JsonValueKind.Undefined
                ? new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed }
                : new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Parts = annotations, Problem = InOpenItem(root, item) };
        }

        if (!JsonStrings.TryGet(root, "part", out var part))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed };
        }

        var problem = InOpenItem(root, item);
        if (item is null)
        {
            return new ContractEvent { Raw = block.Raw, Problem = problem };
        }

        var kind = JsonStrings.Get(part, "type");
        var key = PartKey(item, kind, root);
        problem ??= item.Parts.ContainsKey(key) ? Own($"{key} is added a second time") : item.Parts.Values.Any(p => !p.Done && p.Announced) ? Own($"{key} begins before the part in front of it is done") : null;
        var text = JsonStrings.Get(part, ResponseItems.PartOf(kind).Member) ?? "";
        var begun = item.Parts[key] = new Part { Announced = true };
        begun.Text.Append(text);
        return new ContractEvent { Raw = block.Raw, Traits = text.Length > 0 ? EventTraits.Content : EventTraits.None, Parts = [new ContractPart(key, text)], Problem = problem };
    }

    public ContractEvent Delta(SseBlock block, JsonElement root, string type)
    {
        if (!JsonStrings.TryGet(root, "delta", out var delta) || (delta.ValueKind == JsonValueKind.String && JsonStrings.Decode(delta).Length == 0))
        {
            // What says nothing keeps a connection alive, as long as it is said of what is open.
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Heartbeat, Problem = Find(root) is { } open ? InOpenItem(root, open) : null };
        }

        var item = Find(root);
        var problem = InOpenItem(root, item);
        var kind = KindOf(type);
        if (item is null || kind is null || delta.ValueKind != JsonValueKind.String)
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Problem = problem };
        }

        var text = JsonStrings.Decode(delta);
        if (kind == "input")
        {
            problem ??= item.InputDone ? Own("input after the input's end") : null;
            item.Input.Append(text);
            var call = new ContractPart(new BlockKey(item.Index, Channel.Tool, 0), text, Kind: item.Type, FreeText: item.Type == "custom_tool_call");
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Parts = [call], Problem = problem };
        }

        var key = PartKey(item, kind, root);
        if (!item.Parts.TryGetValue(key, out var part))
        {
            problem ??= Own($"a delta of {key}, which was not added");
            item.Parts[key] = part = new Part();
        }

        problem ??= part.TextDone ? Own($"a delta of {key}, whose text is done") : null;
        part.Text.Append(text);
        return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Parts = [new ContractPart(key, text)], Problem = problem };
    }

    /// <summary>The final response agrees with what was delivered.</summary>
    public GrammarProblem? Complete(JsonElement root)
    {
        if (!JsonStrings.TryGet(root, "response", out var response))
        {
            return Own("an end without a response");
        }

        foreach (var item in _items.Values)
        {
            if (!item.Done)
            {
                return Own($"item {item.Index} is open at the end of the response");
            }
        }

        var output = ContractJson.Array(response, "output").ToList();
        if (output.Count != _items.Count)
        {
            return new GrammarProblem(5, $"the final response has {output.Count} items, {_items.Count} were delivered", IsFault: false);
        }

        foreach (var item in _items.Values)
        {
            if (item.Index >= output.Count || Differs(item, output[item.Index]) is { } differs)
            {
                return new GrammarProblem(5, $"item {item.Index} of the final response is not the one delivered", IsFault: false);
            }
        }

        return null;
    }

    private GrammarProblem Own(string text)
    {
        _spoilt = true;
        return new GrammarProblem(6, text, IsFault: false);
    }

    private GrammarProblem? SameId(string? id)
    {
        _id ??= id;
        return id == _id ? null : Own("the response changes its id");
    }

    private Item? Find(JsonElement root) => ContractJson.Number(root, "output_index") is { } index && _items.TryGetValue((int)index, out var item) ? item : null;

    private static string? KindOf(string type) => type[..type.LastIndexOf('.')] switch
    {
        "response.output_text" => "output_text",
        "response.refusal" => "refusal",
        "response.reasoning_text" => "reasoning_text",
        "response.reasoning_summary_text" => "summary_text",
        "response.function_call_arguments" or "response.custom_tool_call_input" => "input",
        _ => null,
    };

    private static BlockKey PartKey(Item item, string? kind, JsonElement root)
    {
        var (channel, start, _) = ResponseItems.PartOf(kind);
        return new BlockKey(item.Index, channel, start + (int)(ContractJson.Number(root, start > 0 ? "summary_index" : "content_index") ?? 0));
    }

    private GrammarProblem? InOpenItem(JsonElement root, Item? item) =>
        item is null ? Own("an event about an item that was not added")
        : item.Done ? Own($"an event about item {item.Index}, which is done")
        : JsonStrings.Get(root, "item_id") is { } id && item.Id is not null && id != item.Id ? Own($"item {item.Index} changes its id")
        : null;

    private bool HasBrokenCall(JsonElement root)
    {
        if (JsonStrings.TryGet(root, "response", out var response) && ContractJson.Array(response, "output").Any(ResponseItems.IsBroken))
        {
            return true;
        }

        return _items.Values.Any(i => !i.Done && i.Type == "function_call" && ResponseItems.IsBroken(i.Input.ToString()));
    }

    private ContractEvent ItemAdded(SseBlock block, JsonElement root)
    {
        if (!JsonStrings.TryGet(root, "item", out var element))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed };
        }

        var index = (int)(ContractJson.Number(root, "output_index") ?? -1);
        if (index < 0 || _items.ContainsKey(index))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Problem = Own($"item {index} is added a second time") };
        }

        var problem = index != _items.Count ? Own($"item {index} where {_items.Count} is next") : _items.Values.Any(i => !i.Done) ? Own($"item {index} begins before the item in front of it is done") : null;
        var type = JsonStrings.Get(element, "type") ?? "";
        var item = _items[index] = new Item(index, type, JsonStrings.Get(element, "id"), JsonStrings.Get(element, "call_id"), JsonStrings.Get(element, "name"));
        List<ContractPart> parts = [.. ResponseItems.ReadWhole(element, index)];
        item.Input.Append(ResponseItems.InputOf(type) is { } input ? JsonStrings.Get(element, input) : null);
        var isContent = ResponseItems.HasParts(type) || ResponseItems.InputOf(type) is not null ? parts.Exists(p => p.Text.Length > 0) : true;
        if (ResponseItems.InputOf(type) is null && !ResponseItems.HasParts(type))
        {
            // Its end says what it is.
            parts = [parts[0] with { Raw = null }];
        }

        return new ContractEvent { Raw = block.Raw, Traits = isContent ? EventTraits.Content : EventTraits.None, Parts = parts, Problem = problem };
    }

    /// <summary>What a whole item says that its events did not; null where it is the same.</summary>
    private static string? Differs(Item item, JsonElement whole)
    {
        if (JsonStrings.Get(whole, "type") != item.Type || (item.Id is not null && JsonStrings.Get(whole, "id") != item.Id) || (item.CallId is not null && JsonStrings.Get(whole, "call_id") != item.CallId))
        {
            return "another type or id";
        }

        if (ResponseItems.InputOf(item.Type) is { } member)
        {
            return JsonStrings.Get(whole, member) == item.Input.ToString() && JsonStrings.Get(whole, "name") == item.Name ? null : "another name or other arguments";
        }

        if (!ResponseItems.HasParts(item.Type))
        {
            return item.Whole is { } known && !JsonElement.DeepEquals(known, whole) ? "other members" : null;
        }

        var parts = ResponseItems.Parts(whole, item.Index).Where(p => p.Block.Channel != Channel.Other && p.Raw is null).ToDictionary(p => p.Block, p => p.Text);
        return parts.All(p => item.Parts.TryGetValue(p.Key, out var have) ? have.Text.Equals(p.Value) : item.Whole is not null || p.Value.Length == 0)
            && item.Parts.Keys.All(k => k.Channel == Channel.Other || parts.ContainsKey(k)) ? null : "other texts";
    }

    private sealed class Item(int index, string type, string? id, string? callId, string? name)
    {
        public int Index => index;

        public string Type => type;

        public string? Id => id;

        public string? CallId => callId;

        public string? Name => name;

        public bool Done { get; set; }

        public bool InputDone { get; set; }

        public StringBuilder Input { get; } = new();

        public Dictionary<BlockKey, Part> Parts { get; } = [];

        /// <summary>The item as its end has it.</summary>
        public JsonElement? Whole { get; set; }
    }

    private sealed class Part
    {
        public StringBuilder Text { get; } = new();

        /// <summary>Some servers send deltas without opening a part; then nothing closes it.</summary>
        public bool Announced { get; init; }

        public bool TextDone { get; set; }

        public bool Done { get; set; }
    }
}
