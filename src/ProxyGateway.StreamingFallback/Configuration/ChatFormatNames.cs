namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>The closed list of what <see cref="RouteFallbackOptions.Format"/> may name.</summary>
internal static class ChatFormatNames
{
    /// <summary>Not a chat route: plain YARP, no guard.</summary>
    public const string None = "none";

    public static IReadOnlyList<string> All { get; } =
    [
        None,
        "openai-chat",
        "anthropic-messages",
        "openai-responses",
        "openai-completions",
        "gemini",
        "ollama",
        "a2a",
        "agentapi",
    ];
}
