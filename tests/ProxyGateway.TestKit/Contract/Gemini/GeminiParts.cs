using System.Text.Json;

namespace ProxyGateway.TestKit.Contract.Gemini;

/// <summary>
/// The parts of one candidate in order: neighbouring texts of one kind are one text, however they were cut; a call stands
/// alone.
/// </summary>
internal sealed class GeminiParts(int candidate)
{
    private Channel? _last;
    private int _runs = -1;
    private bool _callIsOpen;

    /// <summary>A call that comes in pieces is not whole yet.</summary>
    public bool CallIsOpen => _callIsOpen;

    public IEnumerable<ContractPart> Read(JsonElement content)
    {
        foreach (var part in ContractJson.Array(content, "parts"))
        {
            if (JsonStrings.TryGet(part, "functionCall", out var call))
            {
                yield return ReadCall(call);
            }
            else if (JsonStrings.Get(part, "text") is { } text)
            {
                if (text.Length > 0)
                {
                    var isThought = JsonStrings.TryGet(part, "thought", out var thought) && thought.ValueKind == JsonValueKind.True;
                    yield return new ContractPart(Key(isThought ? Channel.Reasoning : Channel.Text), text);
                }
            }
            else if (part.ValueKind == JsonValueKind.Object && part.EnumerateObject().Any(m => m.Value.ValueKind == JsonValueKind.Object))
            {
                yield return new ContractPart(Key(Channel.Other), "", Raw: part.GetRawText());
            }
        }
    }

    private ContractPart ReadCall(JsonElement call)
    {
        var goesOn = JsonStrings.TryGet(call, "willContinue", out var more) && more.ValueKind == JsonValueKind.True;
        var inPieces = goesOn || _callIsOpen || JsonStrings.TryGet(call, "partialArgs", out _);
        var key = _callIsOpen ? new BlockKey(candidate, Channel.Other, _runs) : Key(inPieces ? Channel.Other : Channel.Tool);
        _callIsOpen = goesOn;
        return inPieces
            ? new ContractPart(key, "", Raw: call.GetRawText())
            : new ContractPart(key, JsonStrings.TryGet(call, "args", out var args) ? args.GetRawText() : "", JsonStrings.Get(call, "id"), JsonStrings.Get(call, "name"));
    }

    private BlockKey Key(Channel channel)
    {
        if (_last != channel || channel is Channel.Tool or Channel.Other)
        {
            _runs++;
            _last = channel;
        }

        return new BlockKey(candidate, channel, _runs);
    }
}
