using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.A2A;

/// <summary>
/// The grammar of an agent's stream: a task, its artifacts in order, each whole before the next begins, one final status; or a
/// message alone.
/// </summary>
internal sealed class A2AStream : ContractStream
{
    /// <summary>Artifacts by the order in which they began.</summary>
    private readonly List<(string Id, bool Closed)> _artifacts = [];

    private bool _other;

    /// <summary>Only artifacts can be joined, only text of them, and only one after the other.</summary>
    public override bool CanBeJoined => !_other;

    public override ContractEvent Read(SseBlock block)
    {
        var e = ReadEvent(block);
        _other |= e.Problem is not null || e.Parts.Any(p => p.Block.Channel == Channel.Other);
        return e;
    }

    private ContractEvent ReadEvent(SseBlock block)
    {
        if (ContractText.WithoutData(block) is { } nothing)
        {
            return nothing;
        }

        if (ContractText.NotAnObject(block, out var root) is { } bad)
        {
            return block.EventName == "error" && !bad.Is(EventTraits.Optional) ? new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error } : bad;
        }

        if (block.EventName == "error" || JsonStrings.TryGet(root, "error", out _))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
        }

        if (!JsonStrings.TryGet(root, "result", out var result) || result.ValueKind != JsonValueKind.Object)
        {
            return new ContractEvent { Raw = block.Raw, Traits = root.TryGetProperty("result", out _) || root.TryGetProperty("error", out _) ? EventTraits.None : EventTraits.Malformed };
        }

        return JsonStrings.Get(result, "kind") switch
        {
            "task" => Task(block, result),
            "status-update" => Status(block, result),
            "artifact-update" => Artifact(block, result),
            "message" => new ContractEvent
            {
                Raw = block.Raw,
                Traits = EventTraits.Finish | EventTraits.Done | EventTraits.Content,
                Finishes = [(0, "message")],
                Parts = [new ContractPart(new BlockKey(0, Channel.Other, 0), "", Raw: result.GetRawText())],
            },
            _ => new ContractEvent { Raw = block.Raw },
        };
    }

    /// <summary>The parts of an artifact; what is no text cannot be compared.</summary>
    public static IEnumerable<ContractPart> Parts(JsonElement artifact, int position)
    {
        foreach (var part in ContractJson.Array(artifact, "parts"))
        {
            yield return JsonStrings.Get(part, "text") is { } text
                ? new ContractPart(new BlockKey(0, Channel.Text, position), text)
                : new ContractPart(new BlockKey(0, Channel.Other, position), "", Raw: part.GetRawText());
        }
    }

    private static EventTraits TraitsOf(List<ContractPart> parts) =>
        parts.Exists(p => p.Text.Length > 0 || p.Block.Channel == Channel.Other) ? EventTraits.Content : EventTraits.None;

    private static string? StateOf(JsonElement result, List<ContractPart> said)
    {
        if (!JsonStrings.TryGet(result, "status", out var status))
        {
            return null;
        }

        if (JsonStrings.TryGet(status, "message", out var message) && ContractJson.Array(message, "parts").Any())
        {
            said.Add(new ContractPart(new BlockKey(0, Channel.Other, -1), "", Raw: message.GetRawText()));
        }

        return JsonStrings.Get(status, "state");
    }

    private ContractEvent Task(SseBlock block, JsonElement result)
    {
        List<ContractPart> parts = [];
        var state = StateOf(result, parts);
        foreach (var artifact in ContractJson.Array(result, "artifacts"))
        {
            parts.AddRange(Parts(artifact, _artifacts.Count));
            _artifacts.Add((JsonStrings.Get(artifact, "artifactId") ?? "", false));
        }

        var ends = A2AContract.EndsAnswer(state);
        return new ContractEvent
        {
            Raw = block.Raw,
            Traits = TraitsOf(parts) | (ends ? EventTraits.Finish : 0),
            Id = JsonStrings.Get(result, "id"),
            Model = JsonStrings.Get(result, "contextId"),
            Finishes = ends ? [(0, state!)] : [],
            Parts = parts,
        };
    }

    private static ContractEvent Status(SseBlock block, JsonElement result)
    {
        List<ContractPart> parts = [];
        var state = StateOf(result, parts);
        var final = JsonStrings.TryGet(result, "final", out var value) && value.ValueKind == JsonValueKind.True;
        return new ContractEvent
        {
            Raw = block.Raw,
            Traits = TraitsOf(parts) | (final ? EventTraits.Finish | EventTraits.Done : 0),
            Id = JsonStrings.Get(result, "taskId"),
            Model = JsonStrings.Get(result, "contextId"),
            Finishes = final ? [(0, state ?? "")] : [],
            Parts = parts,
        };
    }

    private ContractEvent Artifact(SseBlock block, JsonElement result)
    {
        if (!JsonStrings.TryGet(result, "artifact", out var artifact))
        {
            return new ContractEvent { Raw = block.Raw };
        }

        var id = JsonStrings.Get(artifact, "artifactId") ?? "";
        var append = IsTrue(result, "append");
        var known = _artifacts.FindIndex(a => a.Id == id);
        GrammarProblem? problem = null;
        if (known < 0)
        {
            problem = append ? Own("an append to an artifact that has not begun") : null;
            known = _artifacts.Count;
            _artifacts.Add((id, false));
        }
        else if (!append)
        {
            problem = Own("an artifact is replaced: clients lose what they have of it");
        }
        else if (_artifacts[known].Closed)
        {
            problem = Own("an append after the last chunk");
        }
        else if (known != _artifacts.Count - 1)
        {
            problem = Own("an artifact goes on after another one began");
        }

        _artifacts[known] = (id, _artifacts[known].Closed | IsTrue(result, "lastChunk"));
        List<ContractPart> parts = [.. Parts(artifact, known)];
        return new ContractEvent
        {
            Raw = block.Raw,
            Traits = TraitsOf(parts),
            Id = JsonStrings.Get(result, "taskId"),
            Model = JsonStrings.Get(result, "contextId"),
            Parts = parts,
            Problem = problem,
        };
    }

    private static GrammarProblem Own(string text) => new(6, text, IsFault: false);

    private static bool IsTrue(JsonElement parent, string name) => JsonStrings.TryGet(parent, name, out var value) && value.ValueKind == JsonValueKind.True;
}
