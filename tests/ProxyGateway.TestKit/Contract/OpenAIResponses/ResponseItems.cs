using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIResponses;

/// <summary>Output items and their parts, as they stand whole in an item's end and in a response.</summary>
internal static class ResponseItems
{
    /// <summary>Summaries and texts of a reasoning item are counted apart.</summary>
    public const int Summary = 1000;

    /// <summary>The member of a call that holds what it is called with; null where the item is no call of the client's.</summary>
    public static string? InputOf(string type) => type switch
    {
        "function_call" => "arguments",
        "custom_tool_call" => "input",
        _ => null,
    };

    public static bool HasParts(string type) => type is "message" or "reasoning";

    /// <summary>Where a part's text belongs, and the name of the member that has it.</summary>
    public static (Channel Channel, int Base, string Member) PartOf(string? type) => type switch
    {
        "output_text" => (Channel.Text, 0, "text"),
        "refusal" => (Channel.Refusal, 0, "refusal"),
        "reasoning_text" => (Channel.Reasoning, 0, "text"),
        "summary_text" => (Channel.Reasoning, Summary, "text"),
        _ => (Channel.Other, 0, ""),
    };

    /// <summary>What a whole item says.</summary>
    public static IEnumerable<ContractPart> ReadWhole(JsonElement item, int output)
    {
        var type = JsonStrings.Get(item, "type") ?? "";
        var isWhole = !HasParts(type) && InputOf(type) is null;
        yield return new ContractPart(
            new BlockKey(output, Channel.Frame, 0), "", JsonStrings.Get(item, "id"), Kind: type,
            Raw: isWhole ? item.GetRawText() : JsonStrings.Get(item, type == "reasoning" ? "encrypted_content" : "namespace"));
        if (InputOf(type) is { } input)
        {
            yield return new ContractPart(
                new BlockKey(output, Channel.Tool, 0), JsonStrings.Get(item, input) ?? "", JsonStrings.Get(item, "call_id"), JsonStrings.Get(item, "name"), type != "function_call", type);
        }

        foreach (var part in Parts(item, output))
        {
            yield return part;
        }
    }

    /// <summary>The texts of a message or of reasoning.</summary>
    public static IEnumerable<ContractPart> Parts(JsonElement item, int output)
    {
        foreach (var list in (string[])["summary", "content"])
        {
            var index = 0;
            foreach (var part in ContractJson.Array(item, list))
            {
                var (channel, start, member) = PartOf(JsonStrings.Get(part, "type"));
                var key = new BlockKey(output, channel, start + index++);
                yield return channel == Channel.Other
                    ? new ContractPart(key, "", Raw: part.GetRawText())
                    : new ContractPart(key, JsonStrings.Get(part, member) ?? "");
                foreach (var annotation in ContractJson.Array(part, "annotations"))
                {
                    yield return new ContractPart(key, "", Raw: annotation.GetRawText());
                }
            }
        }
    }

    public static DecodedMessage? ReadAnswer(byte[] body)
    {
        if (ContractJson.Object(body) is not { } root || JsonStrings.TryGet(root, "error", out _)
            || JsonStrings.Get(root, "status") is not ("completed" or "incomplete") || JsonStrings.Get(root, "object") == "error"
            || !JsonStrings.TryGet(root, "output", out var output) || output.ValueKind != JsonValueKind.Array
            || (output.GetArrayLength() == 0 && JsonStrings.Get(root, "status") == "completed"))
        {
            return null;
        }

        var answer = new DecodedMessage { UsageCount = JsonStrings.TryGet(root, "usage", out _) ? 1 : 0 };
        answer.Append(new ContractEvent { Raw = default, Id = JsonStrings.Get(root, "id"), Model = JsonStrings.Get(root, "model"), Finishes = [(0, JsonStrings.Get(root, "status")!)] });
        var index = 0;
        foreach (var item in output.EnumerateArray())
        {
            if (JsonStrings.Get(item, "type") is not { Length: > 0 })
            {
                return null;
            }

            foreach (var part in ReadWhole(item, index))
            {
                answer.Append(part);
            }

            index++;
        }

        return answer.BrokenTool() is null ? answer : null;
    }

    /// <summary>Whether the arguments of a function call are cut; a custom call's are free text.</summary>
    public static bool IsBroken(JsonElement item) =>
        JsonStrings.Get(item, "type") == "function_call" && JsonStrings.Get(item, "arguments") is { } arguments && IsBroken(arguments);

    public static bool IsBroken(string arguments)
    {
        var block = new DecodedBlock();
        block.Text.Append(arguments);
        return !block.ArgumentsParse;
    }
}
