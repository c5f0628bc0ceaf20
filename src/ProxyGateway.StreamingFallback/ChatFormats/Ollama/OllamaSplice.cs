using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Ollama;

/// <summary>Whether what was delivered is the beginning of a whole answer. Compares decoded text, ordinally, and calls as JSON values.</summary>
internal static class OllamaSplice
{
    public static bool Continues(OllamaReader delivered, OllamaAnswer answer)
    {
        if (!delivered.CanSplice || delivered.ToolCalls.Count > answer.ToolCalls.Count)
        {
            return false;
        }

        for (var i = 0; i < delivered.ToolCalls.Count; i++)
        {
            if (!IsSameCall(delivered.ToolCalls[i], answer.ToolCalls[i]))
            {
                return false;
            }
        }

        // What stands later in an answer closes what stands before it.
        return Continues(delivered.Content, answer.Content, mustBeWhole: delivered.ToolCalls.Count > 0)
            && Continues(delivered.Thinking, answer.Thinking, mustBeWhole: delivered.ToolCalls.Count > 0 || delivered.Content.Length > 0);
    }

    private static bool Continues(ReadOnlySpan<byte> have, ReadOnlySpan<byte> all, bool mustBeWhole) =>
        all.StartsWith(have) && (!mustBeWhole || have.Length == all.Length);

    /// <summary>The id of a call is chance; its function decides what a client does.</summary>
    private static bool IsSameCall(byte[] delivered, JsonElement answer)
    {
        using var document = JsonDocument.Parse(delivered);
        return TryGetFunction(document.RootElement, out var have) && TryGetFunction(answer, out var whole)
            && RawJson.IsSameMember(have, whole, "name"u8) && RawJson.IsSameMember(have, whole, "arguments"u8);
    }

    private static bool TryGetFunction(JsonElement call, out JsonElement function)
    {
        function = default;
        return call.ValueKind == JsonValueKind.Object && call.TryGetProperty("function"u8, out function) && function.ValueKind == JsonValueKind.Object;
    }
}
