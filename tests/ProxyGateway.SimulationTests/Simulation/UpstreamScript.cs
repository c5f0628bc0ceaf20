namespace ProxyGateway.SimulationTests.Simulation;

/// <summary>How a scripted answer ends.</summary>
internal enum ScriptEnd
{
    Clean,
    Reset,

    /// <summary>Nothing more comes, and the connection stays open.</summary>
    Silence,

    /// <summary>The client leaves at this point, and the upstream would go on.</summary>
    ClientLeaves,

    /// <summary>The client leaves when all was sent, before the gateway hears that the call is over.</summary>
    ClientLeavesAtEnd,

    /// <summary>There is no connection at all.</summary>
    Refused,
}

/// <summary>What an upstream answers to one attempt.</summary>
internal sealed record UpstreamScript
{
    public int Status { get; init; } = 200;

    public string? ContentType { get; init; } = "text/event-stream";

    public ReadOnlyMemory<byte> Body { get; init; }

    public ScriptEnd End { get; init; }

    /// <summary>Before the response headers.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Places in the body in front of which the upstream falls silent for a while.</summary>
    public IReadOnlyList<int> Pauses { get; init; } = [];

    public TimeSpan Pause { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public static UpstreamScript Json(ReadOnlyMemory<byte> body) => new() { ContentType = "application/json", Body = body };
}
