using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.OpenAIResponses;

/// <summary>
/// The grammar of a response stream: <c>response.created</c> first; an item is added, its parts are added, filled and done, the
/// item is done; <c>response.completed</c> has all of it once more. Events are numbered without a gap.
/// </summary>
internal sealed class ResponsesStream : ContractStream
{
    private readonly ResponseGrammar _grammar = new();
    private bool _completed;
    private bool _holding;

    /// <summary>A server's own tool is whole or nothing, and what breaks the grammar cannot be compared.</summary>
    public override bool CanBeJoined => _grammar.CanBeJoined;

    public override ContractEvent Read(SseBlock block)
    {
        if (ContractText.WithoutData(block) is { } nothing)
        {
            return _holding ? With(nothing, EventTraits.Held) : nothing;
        }

        if (block.Data.AsSpan().TrimEnd((byte)' ').SequenceEqual("[DONE]"u8))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Done };
        }

        if (ContractText.NotAnObject(block, out var root) is { } bad)
        {
            return block.EventName == "error" && !bad.Is(EventTraits.Optional) ? new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error } : bad;
        }

        var type = JsonStrings.Get(root, "type") ?? (block.EventName.Length > 0 ? block.EventName : null);
        if (block.EventName == "error" || type is "error" or "response.failed" or "response.cancelled"
            || (JsonStrings.TryGet(root, "error", out _) && type?.StartsWith("response.", StringComparison.Ordinal) != true))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error, Problem = _grammar.Number(root) ?? _grammar.Known(root) };
        }

        if (type is null)
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Malformed };
        }

        if (_completed)
        {
            return new ContractEvent { Raw = block.Raw, Problem = new GrammarProblem(3, "something follows the end of the response", IsFault: false) };
        }

        return Read(block, root, type);
    }

    private static ContractEvent Numbered(ContractEvent e, GrammarProblem? number) => number is null || e.Problem is not null ? e : With(e, EventTraits.None, number);

    private static ContractEvent With(ContractEvent e, EventTraits traits, GrammarProblem? problem = null) => new()
    {
        Raw = e.Raw, Traits = e.Traits | traits, Id = e.Id, Model = e.Model, Created = e.Created, Parts = e.Parts, Roles = e.Roles, Finishes = e.Finishes, Problem = e.Problem ?? problem,
    };

    private ContractEvent Read(SseBlock block, JsonElement root, string type)
    {
        var broken = _grammar.BrokenCall(root, type);
        if (broken is not null)
        {
            return new ContractEvent { Raw = block.Raw, Traits = type == "response.completed" ? EventTraits.Finish : EventTraits.None, Problem = broken };
        }

        if (type is "response.completed" or "response.incomplete" && JsonStrings.TryGet(root, "response", out var response)
            && (JsonStrings.TryGet(response, "error", out _) || JsonStrings.Get(response, "status") == "failed"))
        {
            return new ContractEvent { Raw = block.Raw, Traits = EventTraits.Error };
        }

        var number = _grammar.Number(root);
        var e = new ContractEvent { Raw = block.Raw };
        switch (type)
        {
            case "response.created" or "response.in_progress" or "response.queued":
                return Held(Started(block, root, type, number), neutral: true);
            case "response.completed" or "response.incomplete":
                _completed = true;
                var problem = number ?? _grammar.Known(root) ?? _grammar.Complete(root);
                return new ContractEvent
                {
                    Raw = block.Raw,
                    Traits = EventTraits.Finish | (JsonStrings.TryGet(root, "response", out var whole) && JsonStrings.TryGet(whole, "usage", out _) ? EventTraits.Usage : EventTraits.None),
                    Finishes = [(0, type["response.".Length..])],
                    Problem = problem,
                };
            case var _ when !type.StartsWith("response.", StringComparison.Ordinal):
                return Held(e, neutral: true);
            case var _ when type.EndsWith(".done", StringComparison.Ordinal):
                _holding = true;
                return With(Numbered(_grammar.Done(block, root, type), number), EventTraits.Held);
            case var _ when type.EndsWith(".delta", StringComparison.Ordinal):
                _holding = false;
                return Numbered(_grammar.Delta(block, root, type), number);
            case "response.output_item.added" or "response.content_part.added" or "response.reasoning_summary_part.added" or "response.output_text.annotation.added":
                _holding = false;
                return Numbered(_grammar.Added(block, root, type), number);
            default:
                return Held(new ContractEvent { Raw = block.Raw, Problem = number }, neutral: !_grammar.IsOpen(root));
        }
    }

    /// <summary>What means nothing by itself waits with what waits, unless it is about an item that goes on.</summary>
    private ContractEvent Held(ContractEvent e, bool neutral)
    {
        _holding &= neutral;
        return _holding ? With(e, EventTraits.Held) : e;
    }

    private ContractEvent Started(SseBlock block, JsonElement root, string type, GrammarProblem? number)
    {
        JsonStrings.TryGet(root, "response", out var response);
        var problem = _grammar.Start(response, type);
        return new ContractEvent
        {
            Raw = block.Raw,
            Id = JsonStrings.Get(response, "id"),
            Model = JsonStrings.Get(response, "model"),
            Problem = number ?? problem,
        };
    }
}
