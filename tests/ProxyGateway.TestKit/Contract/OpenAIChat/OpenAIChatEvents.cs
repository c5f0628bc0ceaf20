using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIChat;

/// <summary>Reads chat completion chunks.</summary>
internal static class OpenAIChatEvents
{
    public static ContractEvent Read(SseBlock block)
    {
        if (!block.HasData)
        {
            return new ContractEvent { Raw = block.Raw, Traits = block.HasComment || block.Raw.Span.Trim("\r\n"u8).IsEmpty ? EventTraits.NoData | EventTraits.Comment : EventTraits.NoData };
        }

        var data = block.Data.AsSpan().TrimEnd((byte)' ');
        if (data.SequenceEqual("[DONE]"u8))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Done };
        }

        if (data.Trim(" \t\r\n"u8).IsEmpty)
        {
            // Whether an empty frame is an event at all is where parsers differ,
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed | EventTraits.Optional };
        }

        if (!System.Text.Unicode.Utf8.IsValid(data))
        {
            // and whether bytes that are no text can be JSON; where they can, they are content as likely as not.
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed | EventTraits.Optional | EventTraits.Content };
        }

        try
        {
            using var document = JsonDocument.Parse(block.Data, ContractJson.Options);
            return Read(block, document.RootElement);
        }
        catch (JsonException)
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed };
        }
    }

    private static ContractEvent Read(SseBlock block, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed | EventTraits.Optional };
        }

        if (JsonStrings.TryGet(root, "error", out _) || JsonStrings.Get(root, "object") == "error" || block.EventName == "error")
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
        }

        var traits = JsonStrings.TryGet(root, "usage", out var usage) && usage.ValueKind == JsonValueKind.Object ? EventTraits.Usage : EventTraits.None;
        if (!JsonStrings.TryGet(root, "choices", out var choices) || choices.ValueKind != JsonValueKind.Array)
        {
            return new ContractEvent { Raw = block.Raw, Traits = traits | EventTraits.Optional };
        }

        if ((traits & EventTraits.Usage) != 0 && choices.GetArrayLength() == 0)
        {
            traits |= EventTraits.UsageReport;
        }

        List<ContractPart> parts = [];
        List<int> roles = [];
        List<(int, string)> finishes = [];
        foreach (var choice in choices.EnumerateArray())
        {
            var index = Index(choice);
            if (JsonStrings.TryGet(choice, "delta", out var delta))
            {
                if (JsonStrings.Get(delta, "role") is { Length: > 0 })
                {
                    roles.Add(index);
                }

                ReadParts(delta, index, parts);
            }

            if (JsonStrings.Get(choice, "finish_reason") is { Length: > 0 } reason)
            {
                finishes.Add((index, reason));
                traits |= reason == "error" ? EventTraits.Error : EventTraits.Finish;
            }

            if (JsonStrings.TryGet(choice, "error", out _))
            {
                traits |= EventTraits.Error;
            }
        }

        return new ContractEvent
        {
            Raw = block.Raw,
            Traits = traits | (parts.Count > 0 ? EventTraits.Content : EventTraits.None),
            Id = JsonStrings.Get(root, "id"),
            Model = JsonStrings.Get(root, "model"),
            Created = JsonStrings.TryGet(root, "created", out var created) && created.ValueKind == JsonValueKind.Number && created.TryGetInt64(out var time) ? time : null,
            Parts = parts,
            Roles = roles,
            Finishes = finishes,
        };
    }

    /// <summary>Reads a delta, or the message of a whole answer: they have the same members.</summary>
    public static void ReadParts(JsonElement delta, int choice, List<ContractPart> parts)
    {
        if (delta.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        ReadContent(delta, choice, parts);
        Add(JsonStrings.Get(delta, "reasoning_content") is { Length: > 0 } reasoning ? reasoning : JsonStrings.Get(delta, "reasoning"), Channel.Reasoning);
        Add(JsonStrings.Get(delta, "refusal"), Channel.Refusal);
        if (JsonStrings.TryGet(delta, "tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array)
        {
            var position = 0;
            foreach (var call in calls.EnumerateArray())
            {
                ReadCall(call, choice, position++, parts);
            }
        }

        if (JsonStrings.TryGet(delta, "function_call", out var legacy))
        {
            // The old single call lives beside the list; -1 keeps the two apart.
            parts.Add(new ContractPart(new BlockKey(choice, Channel.Tool, -1), JsonStrings.Get(legacy, "arguments") ?? "", null, JsonStrings.Get(legacy, "name")));
        }

        foreach (var other in (ReadOnlySpan<string>)["audio", "annotations", "reasoning_details", "images"])
        {
            if (JsonStrings.TryGet(delta, other, out var value) && (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > 0))
            {
                parts.Add(new ContractPart(new BlockKey(choice, Channel.Other, 0), value.GetRawText()));
            }
        }

        void Add(string? text, Channel channel)
        {
            if (!string.IsNullOrEmpty(text))
            {
                parts.Add(new ContractPart(new BlockKey(choice, channel, 0), text));
            }
        }
    }

    public static int Index(JsonElement choice, int otherwise = 0) =>
        JsonStrings.TryGet(choice, "index", out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var index) ? index : otherwise;

    private static void ReadContent(JsonElement delta, int choice, List<ContractPart> parts)
    {
        if (!JsonStrings.TryGet(delta, "content", out var content))
        {
            return;
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            var text = JsonStrings.Decode(content);
            if (text.Length > 0)
            {
                parts.Add(new ContractPart(new BlockKey(choice, Channel.Text, 0), text));
            }
        }
        else if (content.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in content.EnumerateArray())
            {
                if (JsonStrings.Get(item, "text") is { Length: > 0 } text)
                {
                    parts.Add(new ContractPart(new BlockKey(choice, Channel.Text, 0), text));
                }
                else if (JsonStrings.TryGet(item, "thinking", out var thinking))
                {
                    parts.Add(new ContractPart(new BlockKey(choice, Channel.Other, 0), thinking.GetRawText()));
                }
            }
        }
    }

    private static void ReadCall(JsonElement call, int choice, int position, List<ContractPart> parts)
    {
        var block = new BlockKey(choice, Channel.Tool, Index(call, position));
        if (JsonStrings.TryGet(call, "custom", out var custom))
        {
            parts.Add(new ContractPart(block, JsonStrings.Get(custom, "input") ?? "", JsonStrings.Get(call, "id"), JsonStrings.Get(custom, "name"), FreeText: true));
            return;
        }

        JsonStrings.TryGet(call, "function", out var function);
        parts.Add(new ContractPart(block, JsonStrings.Get(function, "arguments") ?? "", JsonStrings.Get(call, "id"), JsonStrings.Get(function, "name")));
    }
}
