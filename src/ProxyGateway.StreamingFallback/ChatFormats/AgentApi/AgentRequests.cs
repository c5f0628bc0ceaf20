namespace ProxyGateway.StreamingFallback.ChatFormats.AgentApi;

/// <summary>What a request to agentapi asks for, as far as the gateway treats it in a way of its own.</summary>
internal enum AgentRequestKind
{
    /// <summary>Nothing the gateway has a say in: plain YARP.</summary>
    Other,

    /// <summary>An endless event stream: <c>/events</c>, <c>/internal/screen</c>.</summary>
    Events,

    /// <summary>Something for the agent to act on: <c>POST /message</c>.</summary>
    Message,
}

/// <summary>Tells agentapi's requests apart. Pure.</summary>
internal static class AgentRequests
{
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path as the client wrote it; agentapi may hang under any prefix.</param>
    /// <param name="accept">The <c>Accept</c> header. Browsers ask for an event stream by name; curl and Go clients do not.</param>
    public static AgentRequestKind KindOf(string method, string path, string? accept)
    {
        var trimmed = path.AsSpan().TrimEnd('/');
        if (method.Equals("POST", StringComparison.OrdinalIgnoreCase))
        {
            return trimmed.EndsWith("/message", StringComparison.Ordinal) ? AgentRequestKind.Message : AgentRequestKind.Other;
        }

        return method.Equals("GET", StringComparison.OrdinalIgnoreCase)
            && (trimmed.EndsWith("/events", StringComparison.Ordinal)
                || trimmed.EndsWith("/internal/screen", StringComparison.Ordinal)
                || accept?.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase) == true)
            ? AgentRequestKind.Events
            : AgentRequestKind.Other;
    }
}
