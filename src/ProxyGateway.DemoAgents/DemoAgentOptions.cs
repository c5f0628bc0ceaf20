using System.Net;

namespace ProxyGateway.DemoAgents;

/// <summary>What a schedule is asked about: the how-manieth request of its mode this is (from 1), and what it asks for.</summary>
public readonly record struct DemoScheduleRequest(int Number, bool Streaming, string? Model);

/// <summary>How a demo agent listens, how fast it talks and how it fails.</summary>
public sealed record DemoAgentOptions
{
    /// <summary>What the agent is called in <see cref="DemoCall.Agent"/>; ids of its answers depend on it.</summary>
    public string Name { get; init; } = "demo";

    /// <summary>The address it listens at.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>HTTP/2 without TLS (prior knowledge) instead of HTTP/1.1.</summary>
    public bool Http2 { get; init; }

    /// <summary>Tokens of an answer; each is one content event. At least 1.</summary>
    public int Tokens { get; init; } = 40;

    /// <summary>The pause after each burst.</summary>
    public TimeSpan TokenDelay { get; init; }

    /// <summary>Content events per write. At least 1.</summary>
    public int TokensPerBurst { get; init; } = 1;

    /// <summary>
    /// Lets the connection gather writes instead of handing each to the socket before the next: several times cheaper, for
    /// load benchmarks. A reset then takes away what was written just before it, so cuts are no longer exact.
    /// </summary>
    public bool BufferWrites { get; init; }

    /// <summary>How late the first content of <see cref="DemoBehaviorKind.Slow"/> is when its number is not given.</summary>
    public TimeSpan SlowDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>What <see cref="DemoBehaviorKind.Refuse"/> puts into <c>Retry-After</c> when its number is not given.</summary>
    public int RetryAfterSeconds { get; init; } = 30;

    /// <summary>What happens to a streaming request whose model name chooses nothing.</summary>
    public DemoBehavior Streaming { get; init; } = DemoBehavior.Good;

    /// <summary>
    /// What happens to a non-streaming request whose model name chooses nothing. The kinds that die in mid-stream
    /// then die after half of the body.
    /// </summary>
    public DemoBehavior NonStreaming { get; init; } = DemoBehavior.Good;

    /// <summary>Whether the model name <c>demo-&lt;kind&gt;[-n]</c> in a request chooses the behavior.</summary>
    public bool ObeyModelNames { get; init; } = true;

    /// <summary>Decides before everything else, where it gives a behavior; for failures in a certain order.</summary>
    public Func<DemoScheduleRequest, DemoBehavior?>? Schedule { get; init; }

    /// <summary>Told about every chat request when it has been read; the call goes on changing until its outcome is set.</summary>
    public Action<DemoCall>? OnCall { get; init; }

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
