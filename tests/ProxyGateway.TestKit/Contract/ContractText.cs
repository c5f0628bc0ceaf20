namespace ProxyGateway.TestKit.Contract;

/// <summary>Comparisons that several formats share.</summary>
internal static class ContractText
{
    /// <summary>Rule 5 where the blocks of client and answer have the same keys: decoded text, ordinally.</summary>
    public static void Compare(DecodedMessage got, DecodedMessage answer, bool whole, ViolationList violations)
    {
        foreach (var key in got.Blocks.Keys.Union(answer.Blocks.Keys).Where(k => k.Channel is Channel.Text or Channel.Reasoning or Channel.Refusal))
        {
            var mine = got.Blocks.TryGetValue(key, out var block) ? block.Text.ToString() : "";
            var wanted = answer.Blocks.TryGetValue(key, out block) ? block.Text.ToString() : "";
            if (whole ? mine != wanted : !wanted.StartsWith(mine, StringComparison.Ordinal))
            {
                violations.Add(5, $"{key} is not what the replay said");
            }
        }
    }

    public static DecodedMessage Put(IEnumerable<ContractEvent> events)
    {
        var message = new DecodedMessage();
        foreach (var e in events)
        {
            message.Append(e);
        }

        return message;
    }

    /// <summary>Rule 7 where the answer has the same keys: the same calls, and the id delivered first.</summary>
    /// <param name="sameArguments">Whether two arguments are the same.</param>
    public static void CompareTools(DecodedMessage first, DecodedMessage got, DecodedMessage answer, Func<string, string, bool> sameArguments, ViolationList violations)
    {
        foreach (var (key, call) in got.Blocks.Where(b => b.Key.Channel == Channel.Tool))
        {
            if (!answer.Blocks.TryGetValue(key, out var wanted))
            {
                violations.Add(7, $"{key} is not in the answer that was replayed");
            }
            else if (!call.ToolName.Equals(wanted.ToolName) || !sameArguments(call.Text.ToString(), wanted.Text.ToString()))
            {
                violations.Add(7, $"{key} has another name or other arguments than the answer that was replayed");
            }
            else if (!first.Blocks.ContainsKey(key) && wanted.ToolId is not null && call.ToolId != wanted.ToolId)
            {
                violations.Add(7, $"{key} has another id than the answer that was replayed");
            }
        }

        foreach (var key in answer.Blocks.Keys.Where(k => k.Channel == Channel.Tool && !got.Blocks.ContainsKey(k)))
        {
            violations.Add(7, $"{key} is missing");
        }
    }

    /// <summary>Rule 6: what was named once is not named otherwise, and what nobody named is named as the answer names it.</summary>
    public static void CompareIdentity(string what, HashSet<string> first, HashSet<string> mine, HashSet<string> answer, ViolationList violations)
    {
        var allowed = first.Count > 0 ? first : answer;
        if (mine.Count > 1 || (allowed.Count > 0 && !mine.IsSubsetOf(allowed)))
        {
            violations.Add(6, $"more than one {what}, or one that nobody gave");
        }
    }

    /// <summary>What a block without data is to every event stream format; null where it has data.</summary>
    public static ContractEvent? WithoutData(SseBlock block) => block.HasData ? null : new ContractEvent
    {
        Raw = block.Raw,
        Traits = block.HasComment || block.Raw.Span.Trim("\r\n"u8).IsEmpty ? EventTraits.NoData | EventTraits.Comment : EventTraits.NoData,
    };

    /// <summary>Data that is no JSON object to any format; null where <paramref name="root"/> is one.</summary>
    public static ContractEvent? NotAnObject(SseBlock block, out System.Text.Json.JsonElement root)
    {
        root = default;
        var data = block.Data.AsSpan().Trim(" \t\r\n"u8);
        if (data.IsEmpty)
        {
            // Whether an empty frame is an event at all is where parsers differ,
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed | EventTraits.Optional };
        }

        if (!System.Text.Unicode.Utf8.IsValid(data))
        {
            // and whether bytes that are no text can be JSON; where they can, they are content as likely as not.
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed | EventTraits.Optional | EventTraits.Content };
        }

        if (ContractJson.Object(data) is { } parsed)
        {
            root = parsed;
            return null;
        }

        return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed };
    }
}
