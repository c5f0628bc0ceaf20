namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>Where the choices of an OpenAI chunk or answer hold their text; all else is the same.</summary>
internal enum ChunkShape
{
    /// <summary>Chat Completions: <c>delta</c> and <c>message</c>.</summary>
    ChatDelta,

    /// <summary>Legacy completions: <c>text</c>.</summary>
    CompletionText,
}
