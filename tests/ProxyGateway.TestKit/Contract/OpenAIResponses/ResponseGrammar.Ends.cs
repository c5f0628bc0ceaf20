using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIResponses;

/// <summary>The events that close a text, a part, a call or an item.</summary>
internal sealed partial class ResponseGrammar
{
    public ContractEvent Done(SseBlock block, JsonElement root, string type)
    {
        var item = Find(root);
        switch (type)
        {
            case "response.output_item.done":
                return ItemDone(block, root, item);
            case "response.content_part.done" or "response.reasoning_summary_part.done":
                return PartDone(block, root, item);
            case "response.function_call_arguments.done" or "response.custom_tool_call_input.done":
                var input = JsonStrings.Get(root, type.StartsWith("response.function", StringComparison.Ordinal) ? "arguments" : "input") ?? "";
                return InputDone(block, root, item, input);
            default:
                return KindOf(type) is { } kind ? TextDone(block, root, item, kind) : new ContractEvent { Raw = block.Raw };
        }
    }

    private ContractEvent PartDone(SseBlock block, JsonElement root, Item? item)
    {
        var problem = InOpenItem(root, item);
        if (item is null || !JsonStrings.TryGet(root, "part", out var whole))
        {
            return new ContractEvent { Raw = block.Raw, Problem = problem };
        }

        var kind = JsonStrings.Get(whole, "type");
        var key = PartKey(item, kind, root);
        if (!item.Parts.TryGetValue(key, out var part))
        {
            return new ContractEvent { Raw = block.Raw, Problem = problem ?? Own($"the end of {key}, which was not added") };
        }

        var text = JsonStrings.Get(whole, ResponseItems.PartOf(kind).Member) ?? "";
        problem ??= part.Done ? Own($"a second end of {key}") : null;
        part.Done = true;
        return Ended(block, key, part, text, problem);
    }

    private static ContractEvent Ended(SseBlock block, BlockKey key, Part part, string text, GrammarProblem? problem)
    {
        var have = part.Text.ToString();
        problem ??= text == have ? null : new GrammarProblem(5, $"the end of {key} says something else than its deltas", IsFault: false);
        var rest = text.StartsWith(have, StringComparison.Ordinal) ? text[have.Length..] : "";
        part.Text.Append(rest);
        part.TextDone = true;
        return new ContractEvent { Raw = block.Raw, Traits = rest.Length > 0 ? EventTraits.Content : EventTraits.None, Parts = [new ContractPart(key, rest)], Problem = problem };
    }

    private ContractEvent TextDone(SseBlock block, JsonElement root, Item? item, string kind)
    {
        var problem = InOpenItem(root, item);
        if (item is null)
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Problem = problem };
        }

        var key = PartKey(item, kind, root);
        if (!item.Parts.TryGetValue(key, out var part))
        {
            item.Parts[key] = part = new Part();
        }

        problem ??= part.TextDone ? Own($"a second end of the text of {key}") : null;
        return Ended(block, key, part, JsonStrings.Get(root, ResponseItems.PartOf(kind).Member) ?? "", problem);
    }

    private ContractEvent InputDone(SseBlock block, JsonElement root, Item? item, string input)
    {
        var problem = InOpenItem(root, item);
        if (item is null)
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Problem = problem };
        }

        var have = item.Input.ToString();
        problem ??= input == have ? null : new GrammarProblem(7, $"the end of call {item.Index} says something else than its deltas", IsFault: false);
        var rest = input.StartsWith(have, StringComparison.Ordinal) ? input[have.Length..] : "";
        item.Input.Append(rest);
        item.InputDone = true;
        var part = new ContractPart(new BlockKey(item.Index, Channel.Tool, 0), rest, Kind: item.Type, FreeText: item.Type == "custom_tool_call");
        return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Parts = [part], Problem = problem };
    }

    private ContractEvent ItemDone(SseBlock block, JsonElement root, Item? item)
    {
        if (!JsonStrings.TryGet(root, "item", out var whole))
        {
            return new ContractEvent { Raw = block.Raw };
        }

        var index = (int)(ContractJson.Number(root, "output_index") ?? -1);
        if (item is null)
        {
            var unknown = Own($"the end of item {index}, which was not added");
            item = new Item(index, JsonStrings.Get(whole, "type") ?? "", JsonStrings.Get(whole, "id"), JsonStrings.Get(whole, "call_id"), JsonStrings.Get(whole, "name"));
            if (index >= 0)
            {
                _items[index] = item;
            }

            item.Done = true;
            item.Whole = whole;
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Content, Parts = [.. ResponseItems.ReadWhole(whole, index)], Problem = unknown };
        }

        var problem = item.Done ? Own($"a second end of item {index}")
            : JsonStrings.Get(whole, "id") != item.Id || JsonStrings.Get(whole, "call_id") != item.CallId ? Own($"item {index} changes its ids")
            : item.Parts.Values.Any(p => p.Announced && !p.Done) ? Own($"item {index} ends before its parts")
            : Differs(item, whole) is { } differs ? new GrammarProblem(5, $"the end of item {index}: {differs}", IsFault: false)
            : null;
        var said = item.Parts.Values.Any(p => p.Text.Length > 0);
        item.Done = true;
        item.Whole = whole;
        var frame = ResponseItems.ReadWhole(whole, index).First();
        return new ContractEvent
        {
            Raw = block.Raw,
            Traits = !ResponseItems.HasParts(item.Type) || said || ResponseItems.Parts(whole, index).Any(p => p.Text.Length > 0) ? EventTraits.Content : EventTraits.None,
            // Texts that no event but this one has.
            Parts = [frame, .. ResponseItems.Parts(whole, index).Where(p => p.Raw is null && !item.Parts.ContainsKey(p.Block))],
            Problem = problem,
        };
    }
}
