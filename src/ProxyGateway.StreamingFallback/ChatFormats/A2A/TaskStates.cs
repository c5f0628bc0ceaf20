using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>The states of a task in which its agent says no more (A2A specification 0.3, section 6.3).</summary>
internal static class TaskStates
{
    /// <summary>Nothing can follow.</summary>
    public static bool IsTerminal(in Utf8JsonReader state) =>
        state.TokenType == JsonTokenType.String
        && (state.ValueTextEquals("completed"u8) || state.ValueTextEquals("failed"u8) || state.ValueTextEquals("canceled"u8) || state.ValueTextEquals("rejected"u8));

    /// <summary>The agent waits for its client: an answer ends here, a task does not.</summary>
    public static bool IsInterrupted(in Utf8JsonReader state) =>
        state.TokenType == JsonTokenType.String
        && (state.ValueTextEquals("input-required"u8) || state.ValueTextEquals("auth-required"u8));

    /// <summary>Whether a whole answer that is a task in this state is complete.</summary>
    public static bool EndsAnswer(string? state) =>
        state is "completed" or "failed" or "canceled" or "rejected" or "input-required" or "auth-required";
}
