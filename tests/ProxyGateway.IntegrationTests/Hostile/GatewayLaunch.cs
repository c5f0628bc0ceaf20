namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>How a <see cref="GatewayProcess"/> is started.</summary>
internal sealed record GatewayLaunch
{
    /// <summary>A shell command run in the same process before it, such as <c>ulimit -n 512</c>.</summary>
    public string? Before { get; init; }

    /// <summary>A command that runs it as its own last act, in the same process, such as <c>nsenter --net=FILE</c>.</summary>
    public string? Under { get; init; }

    /// <summary>Where it listens.</summary>
    public string Address { get; init; } = "127.0.0.1";

    public IReadOnlyList<(string Name, string Value)> Environment { get; init; } = [];
}
