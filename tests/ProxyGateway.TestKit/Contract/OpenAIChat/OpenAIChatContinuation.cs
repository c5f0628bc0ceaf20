namespace ProxyGateway.TestKit.Contract.OpenAIChat;

/// <summary>Rules 6 and 7 on a chat stream that the gateway made or continued.</summary>
internal sealed class OpenAIChatContinuation(
    IReadOnlyList<ContractEvent> delivered, IReadOnlyList<ContractEvent> added, DecodedMessage answer, ContractRequest request, ViolationList violations)
{
    private readonly DecodedMessage _first = Put(delivered);

    public void Check()
    {
        CheckIdentity();
        CheckRoles();
        CheckOrder();
        CheckUsage();
        CheckTools();
    }

    private static DecodedMessage Put(IReadOnlyList<ContractEvent> events)
    {
        var message = new DecodedMessage();
        foreach (var e in events)
        {
            message.Append(e);
        }

        return message;
    }

    private static bool IsChunk(ContractEvent e) => !e.Is(EventTraits.NoData | EventTraits.Done | EventTraits.Error | EventTraits.Malformed);

    private void CheckIdentity()
    {
        var mine = Put([.. added.Where(IsChunk)]);
        One("id", mine.Ids, _first.Ids);
        One("model", mine.Models, _first.Models);
        One("created", mine.Createds, _first.Createds);
        foreach (var e in added.Where(IsChunk))
        {
            // What the upstream never said the gateway cannot go on saying.
            var made = delivered.Count == 0;
            if (e.Is(EventTraits.Optional) || (e.Id is null && (made || _first.Ids.Count > 0))
                || (e.Model is null && (made || _first.Models.Count > 0)) || (e.Created is null && (made || _first.Createds.Count > 0)))
            {
                violations.Add(6, "an event the gateway made lacks id, model, created or choices");
            }
        }

        if (_first.Models.Count == 0 && answer.Models.Count == 1 && mine.Models.Count == 1 && !mine.Models.SetEquals(answer.Models))
        {
            violations.Add(6, "the stream names another model than the answer it was made from");
        }
    }

    /// <summary>An upstream that changes its own id is its own affair; what the gateway adds has one, and one the client knows.</summary>
    private void One<T>(string what, HashSet<T> mine, HashSet<T> before)
    {
        if (mine.Count > 1 || (before.Count > 0 && !mine.IsSubsetOf(before)))
        {
            violations.Add(6, $"more than one {what}");
        }
    }

    private void CheckRoles()
    {
        var roles = new HashSet<int>(_first.Roles);
        foreach (var choice in added.SelectMany(e => e.Roles))
        {
            if (!roles.Add(choice))
            {
                violations.Add(6, $"a second role in choice {choice}");
            }
        }

        foreach (var choice in answer.Choices)
        {
            if (!roles.Contains(choice) && delivered.Count == 0)
            {
                violations.Add(6, $"no role in choice {choice}");
            }
        }
    }

    private void CheckOrder()
    {
        var finished = new HashSet<int>(_first.Finishes.Keys);
        var begun = new HashSet<int>(_first.Choices);
        foreach (var e in added)
        {
            foreach (var choice in e.Roles)
            {
                if (!begun.Add(choice) && !_first.Choices.Contains(choice))
                {
                    violations.Add(6, $"the role of choice {choice} does not come first");
                }
            }

            foreach (var part in e.Parts)
            {
                begun.Add(part.Block.Choice);
                if (finished.Contains(part.Block.Choice))
                {
                    violations.Add(6, $"content after the finish reason of choice {part.Block.Choice}");
                }
            }

            foreach (var (choice, _) in e.Finishes)
            {
                if (!finished.Add(choice))
                {
                    violations.Add(6, $"a second finish reason in choice {choice}");
                }
            }

            if (e.Is(EventTraits.Usage) && !finished.IsSupersetOf(answer.Finishes.Keys))
            {
                violations.Add(6, "usage in front of a finish reason");
            }
        }

        foreach (var choice in answer.Finishes.Keys)
        {
            if (!finished.Contains(choice))
            {
                violations.Add(6, $"no finish reason in choice {choice}");
            }
        }
    }

    private void CheckUsage()
    {
        var mine = added.Count(e => e.Is(EventTraits.Usage));
        if (mine > 1 || (mine == 1 && delivered.Any(e => e.Is(EventTraits.UsageReport))))
        {
            violations.Add(6, "usage more than once");
        }
        else if (mine == 1 && !request.IncludeUsage && _first.UsageCount == 0)
        {
            violations.Add(6, "usage although the client did not ask for it");
        }
        else if (mine == 0 && _first.UsageCount == 0 && request.IncludeUsage && answer.UsageCount > 0)
        {
            violations.Add(6, "no usage although the client asked for it");
        }
    }

    private void CheckTools()
    {
        var tools = Tools(_first);
        foreach (var part in added.SelectMany(e => e.Parts).Where(p => p.Block.Channel == Channel.Tool))
        {
            if (tools.TryGetValue(part.Block, out var known))
            {
                if (!string.IsNullOrEmpty(part.ToolName) && known.ToolName.Length > 0)
                {
                    violations.Add(7, $"{part.Block} is named a second time");
                }

                if (!string.IsNullOrEmpty(part.ToolId) && known.ToolId is not null && part.ToolId != known.ToolId)
                {
                    violations.Add(7, $"{part.Block} gets another id");
                }
            }
            else if (part.Block.Index > 0 && !tools.ContainsKey(part.Block with { Index = part.Block.Index - 1 }))
            {
                violations.Add(6, $"{part.Block} leaves a gap in the indexes");
            }

            var block = tools.TryGetValue(part.Block, out var existing) ? existing : tools[part.Block] = new DecodedBlock();
            block.Text.Append(part.Text);
            block.ToolName.Append(part.ToolName);
            block.ToolId ??= string.IsNullOrEmpty(part.ToolId) ? null : part.ToolId;
        }

        var wanted = Tools(answer);
        var before = Tools(_first);
        foreach (var (key, block) in tools)
        {
            if (!wanted.TryGetValue(key, out var original))
            {
                violations.Add(7, $"{key} is not in the answer that was replayed");
            }
            else if (!block.ToolName.Equals(original.ToolName) || !block.Text.Equals(original.Text))
            {
                violations.Add(7, $"{key} has another name or other arguments than the answer that was replayed");
            }
            else if (!before.ContainsKey(key) && original.ToolId is not null && block.ToolId != original.ToolId)
            {
                violations.Add(7, $"{key} has another id than the answer that was replayed");
            }
        }

        foreach (var key in wanted.Keys)
        {
            if (!tools.ContainsKey(key))
            {
                violations.Add(7, $"{key} is missing");
            }
        }
    }

    private static SortedDictionary<BlockKey, DecodedBlock> Tools(DecodedMessage message)
    {
        var tools = new SortedDictionary<BlockKey, DecodedBlock>();
        foreach (var (key, block) in message.Blocks)
        {
            if (key.Channel == Channel.Tool)
            {
                tools[key] = block;
            }
        }

        return tools;
    }
}
