using System.Text;
using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>
/// Where a format reports the tokens of a call, and how it is read from an event or a whole answer without a DOM. The object with
/// the counts is a member of the document, or of one of its members (<paramref name="parent"/>).
/// </summary>
/// <param name="container">The member that holds the counts; empty where the document itself does.</param>
/// <param name="parent">A member that may hold the container in its place; empty for none.</param>
/// <param name="input">The counts that add up to the input.</param>
/// <param name="output">The counts that add up to the output.</param>
internal sealed class UsageMembers(string container, string parent, string[] input, string[] output)
{
    // As they stand in a document.
    private readonly byte[] _container = Encoding.UTF8.GetBytes(container);
    private readonly byte[] _parent = Encoding.UTF8.GetBytes(parent);
    private readonly byte[][] _input = [.. input.Select(Encoding.UTF8.GetBytes)];
    private readonly byte[][] _output = [.. output.Select(Encoding.UTF8.GetBytes)];

    /// <summary>Looking for a few numbers must not take longer than handling the answer.</summary>
    private const int MaxBytes = 1024 * 1024;

    public static UsageMembers OpenAIChat { get; } = new("usage", "", ["prompt_tokens"], ["completion_tokens"]);

    public static UsageMembers OpenAIResponses { get; } = new("usage", "response", ["input_tokens"], ["output_tokens"]);

    public static UsageMembers Anthropic { get; } = new(
        "usage", "message", ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"], ["output_tokens"]);

    public static UsageMembers Gemini { get; } = new("usageMetadata", "", ["promptTokenCount"], ["candidatesTokenCount", "thoughtsTokenCount"]);

    public static UsageMembers Ollama { get; } = new("", "", ["prompt_eval_count"], ["eval_count"]);

    /// <summary>What <paramref name="json"/> reports; nothing where it is not JSON, which is for others to judge.</summary>
    public TokenUsage Read(ReadOnlySpan<byte> json)
    {
        if (json.Length is 0 or > MaxBytes)
        {
            return default;
        }

        var reader = new Utf8JsonReader(json);
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject ? ReadDocument(ref reader, mayDescend: true) : default;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default;
        }
    }

    private TokenUsage ReadDocument(scoped ref Utf8JsonReader reader, bool mayDescend)
    {
        if (_container.Length == 0)
        {
            return ReadCounts(ref reader);
        }

        var found = default(TokenUsage);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isContainer = reader.ValueTextEquals(_container);
            var isParent = mayDescend && _parent.Length > 0 && reader.ValueTextEquals(_parent);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject || !(isContainer || isParent))
            {
                reader.Skip();
                continue;
            }

            found = found.Then(isContainer ? ReadCounts(ref reader) : ReadDocument(ref reader, mayDescend: false));
        }

        return found;
    }

    private TokenUsage ReadCounts(scoped ref Utf8JsonReader reader)
    {
        long? inputs = null, outputs = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isInput = IsOneOf(ref reader, _input);
            var isOutput = !isInput && IsOneOf(ref reader, _output);
            reader.Read();
            if ((isInput || isOutput) && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count) && count >= 0)
            {
                inputs = isInput ? (inputs ?? 0) + count : inputs;
                outputs = isOutput ? (outputs ?? 0) + count : outputs;
            }

            reader.Skip();
        }

        return new TokenUsage(inputs, outputs);
    }

    private static bool IsOneOf(ref Utf8JsonReader reader, byte[][] names)
    {
        foreach (var name in names)
        {
            if (reader.ValueTextEquals(name))
            {
                return true;
            }
        }

        return false;
    }
}
