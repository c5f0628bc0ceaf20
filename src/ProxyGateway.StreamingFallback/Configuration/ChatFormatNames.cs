namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>The closed list of what <see cref="RouteFallbackOptions.Format"/> may name.</summary>
internal static class ChatFormatNames
{
    /// <summary>Not a chat route: plain YARP, no guard.</summary>
    public const string None = "none";

    /// <summary>The one that is no chat: event streams that never end, and messages that are never sent twice.</summary>
    public const string AgentApi = "agentapi";

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
        AgentApi,
    ];
}
