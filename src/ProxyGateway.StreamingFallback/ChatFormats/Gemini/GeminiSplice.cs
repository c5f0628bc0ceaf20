using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>Whether what was delivered is the beginning of a whole answer. Compares decoded text, ordinally, and calls as JSON values.</summary>
internal static class GeminiSplice
{
    public static bool Continues(GeminiReader delivered, GeminiAnswer answer)
    {
        if (!delivered.CanSplice)
        {
            return false;
        }

        foreach (var candidate in delivered.Candidates)
        {
            if (answer.Candidates.FirstOrDefault(c => c.Index == candidate.Index) is not { } whole || !Continues(candidate, whole))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Continues(DeliveredCandidate delivered, AnswerCandidate whole)
    {
        var have = delivered.Blocks;
        if (have.Count > whole.Blocks.Count || (delivered.Finished && have.Count != whole.Blocks.Count))
        {
            return false;
        }

        for (var i = 0; i < have.Count; i++)
        {
            // What stands later in an answer closes what stands before it.
            var isOpen = i == have.Count - 1 && !delivered.Finished;
            if (have[i].Kind != whole.Blocks[i].Kind || !Continues(have[i], whole.Blocks[i], isOpen))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Continues(DeliveredBlock delivered, AnswerBlock whole, bool isOpen) => delivered.Kind switch
    {
        BlockKind.Text or BlockKind.Thought => whole.Text.AsSpan().StartsWith(delivered.Text.Span) && (isOpen || whole.Text.Length == delivered.Text.Length),
        BlockKind.FunctionCall => delivered.Call is not null && IsSameCall(delivered.Call, whole.Part.GetProperty("functionCall"u8)),
        _ => false,
    };

    /// <summary>The id of a call is chance; its name and arguments decide what a client does.</summary>
    private static bool IsSameCall(byte[] delivered, JsonElement answer)
    {
        using var document = JsonDocument.Parse(delivered);
        return RawJson.IsSameMember(document.RootElement, answer, "name"u8) && RawJson.IsSameMember(document.RootElement, answer, "args"u8);
    }
}
