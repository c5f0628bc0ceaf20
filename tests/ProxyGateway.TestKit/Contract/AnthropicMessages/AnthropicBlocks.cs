using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.AnthropicMessages;

/// <summary>Content blocks as starts of a stream and as parts of a whole message have them.</summary>
internal static class AnthropicBlocks
{
    public static Channel ChannelOf(string type) => type switch
    {
        "text" => Channel.Text,
        "thinking" or "redacted_thinking" => Channel.Reasoning,
        _ when type.EndsWith("tool_use", StringComparison.Ordinal) => Channel.Tool,
        _ => Channel.Other,
    };

    /// <summary>What a block says where it stands whole; null where it lacks what its type must have.</summary>
    public static IReadOnlyList<ContractPart>? ReadWhole(JsonElement block, int index)
    {
        if (JsonStrings.Get(block, "type") is not { Length: > 0 } type)
        {
            return null;
        }

        var key = new BlockKey(0, ChannelOf(type), index);
        switch (type)
        {
            case "text":
                return JsonStrings.Get(block, "text") is { } text
                    ? [new ContractPart(key, text, Kind: type), .. ContractJson.Array(block, "citations").Select(c => new ContractPart(key, "", Kind: type, Raw: c.GetRawText()))]
                    : null;
            case "thinking":
                return JsonStrings.Get(block, "thinking") is { } thought
                    ? [new ContractPart(key, thought, Kind: type, Raw: JsonStrings.Get(block, "signature") is { Length: > 0 } s ? s : null)]
                    : null;
            case "compaction":
                return [new ContractPart(key, JsonStrings.Get(block, "content") ?? "", Kind: type)];
            case var _ when key.Channel == Channel.Tool:
                return JsonStrings.Get(block, "name") is { Length: > 0 } name && JsonStrings.TryGet(block, "input", out var input) && input.ValueKind == JsonValueKind.Object
                    ? [new ContractPart(key, input.GetRawText(), JsonStrings.Get(block, "id"), name, Kind: type)]
                    : null;
            default:
                return [new ContractPart(key, "", Kind: type, Raw: block.GetRawText())];
        }
    }

    public static DecodedMessage? ReadAnswer(byte[] body)
    {
        if (ContractJson.Object(body) is not { } root
            || JsonStrings.TryGet(root, "error", out _)
            || JsonStrings.Get(root, "type") is not (null or "message")
            || !JsonStrings.TryGet(root, "content", out var content) || content.ValueKind != JsonValueKind.Array
            || JsonStrings.Get(root, "stop_reason") is not { Length: > 0 } reason || reason == "error")
        {
            return null;
        }

        var answer = new DecodedMessage { UsageCount = JsonStrings.TryGet(root, "usage", out _) ? 1 : 0 };
        answer.Append(new ContractEvent { Raw = default, Id = JsonStrings.Get(root, "id"), Model = JsonStrings.Get(root, "model"), Finishes = [(0, reason)] });
        var index = 0;
        foreach (var block in content.EnumerateArray())
        {
            if (ReadWhole(block, index++) is not { } parts)
            {
                return null;
            }

            foreach (var part in parts)
            {
                answer.Append(part);
            }
        }

        return answer;
    }
}
