namespace ProxyGateway.Demo;

/// <summary>What a client got for a streaming request, with everything that tells a whole answer from half of one.</summary>
internal sealed record ClientAnswer
{
    public int Status { get; init; }

    public string Text { get; init; } = "";

    public string ToolArguments { get; init; } = "";

    public int Roles { get; init; }

    public int FinishReasons { get; init; }

    public int DoneMarkers { get; init; }

    public int Ids { get; init; }

    /// <summary>The code (or type) of the error event, or of the HTTP error's body.</summary>
    public string? Error { get; init; }

    /// <summary>Events that are not JSON, and an incomplete event at the end.</summary>
    public int BrokenEvents { get; init; }

    /// <summary>Whether the body had its proper end; a client library reports the lack of it as an exception.</summary>
    public bool BodyTerminated { get; init; }

    /// <summary>Whether the demo gave up waiting.</summary>
    public bool TimedOut { get; init; }

    public string? Cluster { get; init; }

    public string? Attempts { get; init; }

    public string? Recovery { get; init; }

    /// <summary>Tokens of the demo agents are words.</summary>
    public int Tokens => Text.Length == 0 ? 0 : Text.Split(' ').Length;
}
