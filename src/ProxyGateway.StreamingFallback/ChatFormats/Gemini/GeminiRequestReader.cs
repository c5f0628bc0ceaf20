using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Gemini;

/// <summary>Reads a Gemini request: mode and model stand in the path, the number of candidates in the body (Gemini API reference, "Generating content").</summary>
internal static class GeminiRequestReader
{
    public static string? Read(ReadOnlySpan<byte> body, string path, out ChatRequest request)
    {
        request = null!;
        var candidates = 1;
        var seen = false;
        var members = new MemberReader(body);
        while (members.Next())
        {
            // Google's JSON readers take both spellings of a name.
            if (!members.NameIs("generationConfig"u8) && !members.NameIs("generation_config"u8))
            {
                continue;
            }

            if (seen)
            {
                return "`generationConfig` stands twice in the request body.";
            }

            seen = true;
            if (!TryReadCandidateCount(members.Value, out candidates))
            {
                return "`candidateCount` stands twice in the request body.";
            }
        }

        if (members.Problem is not null)
        {
            return members.Problem;
        }

        request = new ChatRequest
        {
            Streaming = GeminiTarget.IsStreaming(path),
            Model = GeminiTarget.Model(path),
            ChoiceCount = candidates,
        };
        return null;
    }

    private static bool TryReadCandidateCount(Utf8JsonReader config, out int count)
    {
        count = 1;
        if (config.TokenType != JsonTokenType.StartObject)
        {
            return true;
        }

        var seen = false;
        while (config.Read() && config.TokenType == JsonTokenType.PropertyName && JsonText.IsComparable(ref config))
        {
            var wanted = config.ValueTextEquals("candidateCount"u8) || config.ValueTextEquals("candidate_count"u8);
            config.Read();
            if (wanted)
            {
                if (seen)
                {
                    return false;
                }

                seen = true;
                count = config.TokenType == JsonTokenType.Number && config.TryGetInt32(out var n) && n is > 0 and <= 1024 ? n : 1;
            }

            config.Skip();
        }

        return true;
    }
}
