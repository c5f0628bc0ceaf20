using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAICompletions;

/// <summary>Reads a completions request: what a chat request has, and how many prompts it holds (OpenAI API reference, "Create completion").</summary>
internal static class OpenAICompletionsRequestReader
{
    public static string? Read(ReadOnlySpan<byte> body, out ChatRequest request)
    {
        if (OpenAIChatRequestReader.Read(body, out request) is { } problem)
        {
            return problem;
        }

        var prompts = 0;
        var members = new MemberReader(body);
        while (members.Next())
        {
            if (!members.NameIs("prompt"u8))
            {
                continue;
            }

            if (prompts > 0)
            {
                request = null!;
                return "`prompt` stands twice in the request body.";
            }

            prompts = CountPrompts(members.Value);
        }

        // Each prompt is answered by its own choices: the stream is complete only when all of them have finished.
        request = request with { ChoiceCount = request.ChoiceCount * Math.Max(prompts, 1) };
        return null;
    }

    /// <summary>A string or an array of tokens is one prompt; an array of strings or of such arrays is as many as it has elements.</summary>
    private static int CountPrompts(Utf8JsonReader prompt)
    {
        if (prompt.TokenType != JsonTokenType.StartArray)
        {
            return 1;
        }

        var count = 0;
        while (prompt.Read() && prompt.TokenType != JsonTokenType.EndArray)
        {
            if (prompt.TokenType == JsonTokenType.Number)
            {
                return 1;
            }

            prompt.Skip();
            count++;
        }

        return Math.Max(count, 1);
    }
}
