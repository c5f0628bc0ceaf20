using System.Text.Json;
using ProxyGateway.Management.Settings;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.Management.Api;

/// <summary>Makes the documents of the API from what the process keeps anyway. Changes nothing.</summary>
internal sealed class StatusReport(
    IProxyStateLookup proxy,
    CircuitRegistry circuits,
    LiveExchanges live,
    RecentEvents recent,
    IConfigurationReport configuration,
    ProcessFacts process)
{
    /// <summary>As many exchanges as a page can sensibly show.</summary>
    private const int MaxExchanges = 100;

    private static readonly string Version = typeof(StatusReport).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <param name="withHistory">With what happened of late; a stream's snapshots go without.</param>
    public StatusDocument Describe(bool withHistory)
    {
        var (exchanges, active) = live.Look(MaxExchanges);
        return new StatusDocument
        {
            Time = process.Time.GetUtcNow(),
            Version = Version,
            UptimeMs = (long)process.Uptime.TotalMilliseconds,
            Ready = process.IsReady,
            Active = active,
            Totals = Totals(live.Ended()),
            Clusters = Clusters(),
            Exchanges = [.. exchanges.Select(Describe)],
            Recoveries = withHistory ? [.. recent.Exchanges.Select(Describe)] : null,
            CircuitChanges = withHistory ? [.. recent.CircuitChanges.Select(Describe)] : null,
            Configuration = configuration.State,
        };
    }

    public static RecoveryRecord Describe(RecentExchange e) => new(
        e.Number,
        e.At,
        e.RequestId,
        e.RouteId,
        e.ClusterId,
        e.Fault.Kind.Label(),
        e.Fault.Phase.Label(),
        e.Fault.Status == 0 ? null : e.Fault.Status,
        e.Outcome.Label(),
        e.AnsweredBy,
        e.Attempts,
        (long)e.Duration.TotalMilliseconds,
        e.DeliveredBytes,
        e.Times);

    public static CircuitChangeRecord Describe(RecentCircuitChange c) => new(
        c.Number,
        c.At,
        c.ClusterId,
        GatewayMetrics.Label(c.Circuit),
        GatewayMetrics.Label(c.Transition.From),
        GatewayMetrics.Label(c.Transition.To),
        JsonNamingPolicy.SnakeCaseLower.ConvertName(c.Transition.Reason.ToString()),
        (long)c.Transition.Break.TotalMilliseconds,
        c.By,
        c.Why);

    public static CircuitState Describe(CircuitCell cell, CircuitBreakerSettings? settings)
    {
        var s = cell.Snapshot();
        return new CircuitState(
            GatewayMetrics.Label(s.Status),
            settings?.Enabled ?? false,
            s.Status == CircuitStatus.Open ? (long)Math.Ceiling(s.TimeToHalfOpen.TotalMilliseconds) : null,
            s.FailuresInARow,
            settings?.FailureThreshold ?? 0,
            s.OnProbation,
            s.BreaksInARow,
            s.Probes,
            s.Hinted > TimeSpan.Zero ? (long)Math.Ceiling(s.Hinted.TotalMilliseconds) : null);
    }

    /// <summary>The settings of the clusters that a guarded route can lead to.</summary>
    public Dictionary<string, ClusterSettings> GuardedClusters()
    {
        var guarded = new Dictionary<string, ClusterSettings>(StringComparer.OrdinalIgnoreCase);
        foreach (var route in proxy.GetRoutes())
        {
            if (AgentRouteSettings.Of(route.Config) is { } agent)
            {
                guarded[agent.Cluster.ClusterId] = agent.Cluster;
            }

            if (RouteSettings.Of(route.Config) is not { } settings)
            {
                continue;
            }

            foreach (var cluster in settings.Models.Select(m => m.Cluster).Prepend(settings.Cluster))
            {
                guarded[cluster.ClusterId] = cluster;
                foreach (var target in cluster.Fallback)
                {
                    guarded.TryAdd(target.Cluster.ClusterId, target.Cluster);
                }
            }
        }

        return guarded;
    }

    private static OutcomeTotals Totals(long[] ended) => new(
        ended[(int)ExchangeOutcome.Completed],
        ended[(int)ExchangeOutcome.Recovered],
        ended[(int)ExchangeOutcome.Terminated],
        ended[(int)ExchangeOutcome.Failed],
        ended[(int)ExchangeOutcome.Relayed],
        ended[(int)ExchangeOutcome.Rejected],
        ended[(int)ExchangeOutcome.ClientGone]);

    private static ExchangeStatus Describe(LiveExchange e) => new(
        e.RequestId,
        e.RouteId,
        e.ClusterId,
        e.Streaming,
        (long)e.Age.TotalMilliseconds,
        e.ContentEvents,
        (long?)e.SinceContent?.TotalMilliseconds,
        e.Attempts,
        e.Recovering);

    private static DestinationStatus Describe(DestinationState d, ClusterDestinationsState all) => new(
        d.DestinationId,
        SafeAddress.Of(d.Model.Config.Address),
        JsonNamingPolicy.SnakeCaseLower.ConvertName(d.Health.Active.ToString()),
        JsonNamingPolicy.SnakeCaseLower.ConvertName(d.Health.Passive.ToString()),
        all.AvailableDestinations.Contains(d),
        d.ConcurrentRequestCount);

    private List<ClusterStatus> Clusters()
    {
        var guarded = GuardedClusters();
        var clusters = new List<ClusterStatus>();
        foreach (var state in proxy.GetClusters())
        {
            var settings = guarded.GetValueOrDefault(state.ClusterId);
            var pair = circuits.Get(state.ClusterId);
            var destinations = state.DestinationsState;
            clusters.Add(new ClusterStatus(
                state.ClusterId,
                settings is not null,
                [.. settings?.Fallback.Select(f => f.Cluster.ClusterId) ?? []],
                new CircuitPair(Describe(pair.Cluster, settings?.CircuitBreaker), Describe(pair.Streaming, settings?.CircuitBreaker)),
                [.. destinations.AllDestinations.OrderBy(d => d.DestinationId, StringComparer.OrdinalIgnoreCase).Select(d => Describe(d, destinations))]));
        }

        clusters.Sort((a, b) => string.Compare(a.Id, b.Id, StringComparison.OrdinalIgnoreCase));
        return clusters;
    }
}

/// <summary>Of this process: since when it runs, and whether it wants traffic.</summary>
internal sealed class ProcessFacts(TimeProvider time, Readiness readiness)
{
    private readonly long _startedAt = time.GetTimestamp();

    public TimeProvider Time => time;

    public TimeSpan Uptime => time.GetElapsedTime(_startedAt);

    public bool IsReady => readiness.IsReady;
}
