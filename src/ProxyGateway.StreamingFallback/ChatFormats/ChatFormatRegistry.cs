using ProxyGateway.StreamingFallback.ChatFormats.A2A;
using ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;
using ProxyGateway.StreamingFallback.ChatFormats.Gemini;
using ProxyGateway.StreamingFallback.ChatFormats.Ollama;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAICompletions;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>The chat formats by name. A new format is added here and nowhere else.</summary>
internal static class ChatFormatRegistry
{
    /// <summary>What a route that is no chat route says.</summary>
    public const string None = "none";

    private static readonly Dictionary<string, ChatFormat> Formats = new ChatFormat[]
    {
        new OpenAIChatFormat(),
        new AnthropicMessagesFormat(),
        new OpenAIResponsesFormat(),
        new OpenAICompletionsFormat(),
        new GeminiFormat(),
        new OllamaFormat(),
        new A2AFormat(),
    }.ToDictionary(f => f.Name, StringComparer.OrdinalIgnoreCase);

    public static IReadOnlyCollection<string> Names => Formats.Keys;

    public static IReadOnlyCollection<ChatFormat> All => Formats.Values;

    /// <summary>All that a route's <c>Format</c> may name to be guarded, <c>agentapi</c> included, which is no chat.</summary>
    public static IReadOnlyCollection<string> Served { get; } = [.. Formats.Keys, Configuration.ChatFormatNames.AgentApi];

    /// <summary>The format with this name; null where there is none, or where the name is <c>none</c>.</summary>
    public static ChatFormat? Find(string name) => Formats.GetValueOrDefault(name);
}
