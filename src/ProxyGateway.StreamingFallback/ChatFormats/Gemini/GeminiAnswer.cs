using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>A whole <c>GenerateContentResponse</c>, checked once so that what is made of it needs no further doubt.</summary>
internal sealed class GeminiAnswer : IDisposable
{
    private readonly JsonDocument _document;

    private GeminiAnswer(JsonDocument document, List<AnswerCandidate> candidates)
    {
        _document = document;
        Candidates = candidates;
    }

    public JsonElement Root => _document.RootElement;

    /// <summary>Empty where the prompt was refused.</summary>
    public IReadOnlyList<AnswerCandidate> Candidates { get; }

    /// <summary>Reads <paramref name="json"/>; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    public static AnswerVerdict Read(ReadOnlyMemory<byte> json, out GeminiAnswer? answer)
    {
        answer = null;
        if (JsonText.TryParseAnswer(json) is not { } document)
        {
            return AnswerVerdict.Unusable;
        }

        var candidates = new List<AnswerCandidate>();
        var verdict = ReadCandidates(document.RootElement, candidates);
        if (verdict == AnswerVerdict.Usable)
        {
            answer = new GeminiAnswer(document, candidates);
        }
        else
        {
            document.Dispose();
        }

        return verdict;
    }

    public void Dispose() => _document.Dispose();

    private static AnswerVerdict ReadCandidates(JsonElement root, List<AnswerCandidate> candidates)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return AnswerVerdict.Unusable;
        }

        if (root.TryGetProperty("error"u8, out var error) && error.ValueKind != JsonValueKind.Null)
        {
            return AnswerVerdict.Error;
        }

        if (root.TryGetProperty("candidates"u8, out var array) && array.ValueKind == JsonValueKind.Array)
        {
            foreach (var element in array.EnumerateArray())
            {
                if (AnswerCandidate.Read(element, candidates.Count) is not { } candidate || candidates.Exists(c => c.Index == candidate.Index))
                {
                    return AnswerVerdict.Unusable;
                }

                candidates.Add(candidate);
            }
        }

        var isBlocked = root.TryGetProperty("promptFeedback"u8, out var feedback)
            && JsonText.GetUtf8(feedback, "blockReason"u8) is { Length: > 0 } reason && !reason.AsSpan().SequenceEqual("BLOCK_REASON_UNSPECIFIED"u8);
        return candidates.Count > 0 || isBlocked ? AnswerVerdict.Usable : AnswerVerdict.Unusable;
    }
}

/// <summary>One candidate of a whole answer.</summary>
internal sealed class AnswerCandidate
{
    private AnswerCandidate(int index, JsonElement element, List<AnswerBlock> blocks)
    {
        Index = index;
        Element = element;
        Blocks = blocks;
    }

    public int Index { get; }

    public JsonElement Element { get; }

    public IReadOnlyList<AnswerBlock> Blocks { get; }

    /// <summary>Null where the candidate is not complete: no reason why it ends, or a call in it that goes on.</summary>
    public static AnswerCandidate? Read(JsonElement element, int position)
    {
        if (JsonText.GetUtf8(element, "finishReason"u8) is not { Length: > 0 } reason || reason.AsSpan().SequenceEqual("FINISH_REASON_UNSPECIFIED"u8))
        {
            return null;
        }

        var index = element.TryGetProperty("index"u8, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var i) ? i : position;
        var blocks = new List<AnswerBlock>();
        if (element.TryGetProperty("content"u8, out var content) && content.ValueKind == JsonValueKind.Object
            && content.TryGetProperty("parts"u8, out var parts) && parts.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in parts.EnumerateArray())
            {
                AnswerBlock.Add(part, blocks);
            }
        }

        // A call that says of itself that it goes on is half a call.
        return blocks.Exists(static b => b.IsOpenCall) ? null : new AnswerCandidate(index, element, blocks);
    }
}

/// <summary>A text of a whole answer, or one part that is none.</summary>
internal sealed class AnswerBlock(BlockKind kind, JsonElement part)
{
    public BlockKind Kind => kind;

    /// <summary>The part itself where it is no text.</summary>
    public JsonElement Part => part;

    public byte[] Text { get; private set; } = [];

    public bool IsOpenCall => kind == BlockKind.FunctionCall
        && part.GetProperty("functionCall"u8).TryGetProperty("willContinue"u8, out var goesOn) && goesOn.ValueKind == JsonValueKind.True;

    /// <summary>The last signature that came with or after a text, or after another part.</summary>
    public JsonElement? Signature { get; private set; }

    public static void Add(JsonElement part, List<AnswerBlock> blocks)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (part.TryGetProperty("functionCall"u8, out var call) && call.ValueKind == JsonValueKind.Object)
        {
            blocks.Add(new AnswerBlock(BlockKind.FunctionCall, part));
            return;
        }

        if (JsonText.GetUtf8(part, "text"u8) is not { } text)
        {
            blocks.Add(new AnswerBlock(BlockKind.Other, part));
            return;
        }

        if (text.Length > 0)
        {
            var kind = part.TryGetProperty("thought"u8, out var thought) && thought.ValueKind == JsonValueKind.True ? BlockKind.Thought : BlockKind.Text;
            if (blocks.Count == 0 || blocks[^1].Kind != kind)
            {
                blocks.Add(new AnswerBlock(kind, part));
            }

            blocks[^1].Text = [.. blocks[^1].Text, .. text];
        }

        if (blocks.Count > 0 && part.TryGetProperty("thoughtSignature"u8, out var signature) && signature.ValueKind == JsonValueKind.String)
        {
            blocks[^1].Signature = signature;
        }
    }
}
