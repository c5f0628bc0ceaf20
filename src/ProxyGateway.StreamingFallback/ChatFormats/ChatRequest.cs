namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>What the gateway knows of a client's request. Immutable; holds no text of the conversation.</summary>
internal sealed record ChatRequest
{
    /// <summary>Whether the client asked for a stream.</summary>
    public required bool Streaming { get; init; }

    /// <summary>The model named in the request; null where there is none.</summary>
    public string? Model { get; init; }

    /// <summary>Whether the client asked for usage at the end of the stream.</summary>
    public bool IncludeUsage { get; init; }

    /// <summary>How many alternative answers the client asked for.</summary>
    public int ChoiceCount { get; init; } = 1;

    /// <summary>Whether the request changes state at the upstream even as a plain chat (stored, in the background, a follow-up of a stored answer).</summary>
    public bool Stateful { get; init; }

    /// <summary>Where the value of <c>model</c> stands in the body; empty where it is absent.</summary>
    public Range ModelValue { get; init; }

    /// <summary>Where the value of <c>stream</c> stands in the body; empty where it is absent.</summary>
    public Range StreamValue { get; init; }

    /// <summary>Where the member <c>stream_options</c> stands, with one adjoining comma; empty where it is absent.</summary>
    public Range StreamOptionsMember { get; init; }

    /// <summary>The JSON-RPC call that the request is; null where the format knows none.</summary>
    public A2A.JsonRpcCall? Rpc { get; init; }
}
