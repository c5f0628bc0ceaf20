using System.Collections.Concurrent;
using ProxyGateway.DemoAgents;

namespace ProxyGateway.Demo;

/// <summary>The demo's agents, one per cluster and named like it, and the record of what they did.</summary>
internal sealed class DemoFleet : IAsyncDisposable
{
    public const string Good = "good";
    public const string Dying = "dying";
    public const string Stalling = "stalling";
    public const string Refusing = "refusing";
    public const string Broken = "broken";
    public const string Diverging = "diverging";

    private readonly ConcurrentQueue<DemoCall> _calls = new();
    private readonly Dictionary<string, DemoAgent> _agents = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, DemoAgent> Agents => _agents;

    public static async Task<DemoFleet> StartAsync(TimeSpan tokenDelay, CancellationToken cancellationToken)
    {
        var fleet = new DemoFleet();
        var common = new DemoAgentOptions { TokenDelay = tokenDelay, OnCall = fleet._calls.Enqueue };
        try
        {
            // The fallback is deaf to the model names that make the others fail.
            await fleet.AddAsync(common with { Name = Good, ObeyModelNames = false }, cancellationToken);
            await fleet.AddAsync(common with { Name = Dying }, cancellationToken);
            await fleet.AddAsync(common with { Name = Stalling, Streaming = new(DemoBehaviorKind.Stall) }, cancellationToken);
            await fleet.AddAsync(common with { Name = Refusing, Streaming = new(DemoBehaviorKind.Refuse), NonStreaming = new(DemoBehaviorKind.Refuse) }, cancellationToken);
            await fleet.AddAsync(common with { Name = Broken, Streaming = new(DemoBehaviorKind.Reset, 12), NonStreaming = new(DemoBehaviorKind.Reset) }, cancellationToken);
            await fleet.AddAsync(common with { Name = Diverging }, cancellationToken);
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }

        return fleet;
    }

    /// <summary>The calls since the last time, in the order in which the agents got them.</summary>
    public IReadOnlyList<DemoCall> TakeCalls()
    {
        var calls = new List<DemoCall>();
        while (_calls.TryDequeue(out var call))
        {
            calls.Add(call);
        }

        return calls;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents.Values)
        {
            await agent.DisposeAsync();
        }
    }

    private async Task AddAsync(DemoAgentOptions options, CancellationToken cancellationToken) =>
        _agents.Add(options.Name, await DemoAgent.StartAsync(options, cancellationToken));
}
