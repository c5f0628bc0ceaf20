using System.Collections.Frozen;
using ProxyGateway.StreamingFallback.CircuitBreaking;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>A validated, immutable copy of <see cref="ClusterFallbackOptions"/>.</summary>
internal sealed class ClusterSettings
{
    private static readonly int[] DefaultRetryStatuses = [408, 429, 500, 502, 503, 504, 529];

    public required string ClusterId { get; init; }

    /// <summary>In the order in which they are asked. Their own fallbacks are not followed.</summary>
    public IReadOnlyList<FallbackTarget> Fallback { get; private set; } = [];

    public required CircuitBreakerSettings CircuitBreaker { get; init; }

    public required TimeSpan ConnectTimeout { get; init; }

    public required TimeSpan ResponseHeadersTimeout { get; init; }

    public required TimeSpan FirstContentTimeout { get; init; }

    public required TimeSpan IdleTimeout { get; init; }

    public required TimeSpan AnswerTimeout { get; init; }

    public required TimeSpan ReplayTimeout { get; init; }

    public required FrozenSet<int> RetryStatuses { get; init; }

    public required TimeSpan MaxRetryAfter { get; init; }

    public required TimeSpan Backoff { get; init; }

    public required double Budget { get; init; }

    public required double BudgetFloor { get; init; }

    public ReconnectSettings Reconnect { get; init; } = ReconnectSettings.From(new ReconnectOptions());

    public required ConcurrencySettings Concurrency { get; init; }

    public required HedgingSettings Hedging { get; init; }

    /// <summary>The gateway's own key for this cluster; null where it has none.</summary>
    public required ClusterCredential? Credential { get; init; }

    public required bool? ForwardClientCredentials { get; init; }

    public required TerminalProfile Terminal { get; init; }

    public required FrozenDictionary<string, string> ModelMap { get; init; }

    public OpenCircuitAction OnOpen => CircuitBreaker.OnOpen ?? (Fallback.Count > 0 ? OpenCircuitAction.Fallback : OpenCircuitAction.Reject);

    public static ClusterSettings From(string clusterId, ClusterFallbackOptions o, FrozenDictionary<string, string> modelMap) => new()
    {
        ClusterId = clusterId,
        CircuitBreaker = CircuitBreakerSettings.From(o.CircuitBreaker),
        ConnectTimeout = o.Timeouts.Connect,
        ResponseHeadersTimeout = o.Timeouts.ResponseHeaders,
        FirstContentTimeout = o.Timeouts.FirstContent,
        IdleTimeout = o.Timeouts.Idle,
        AnswerTimeout = o.Timeouts.Answer,
        ReplayTimeout = o.Timeouts.Replay,
        RetryStatuses = (o.Retry.Statuses ?? [.. DefaultRetryStatuses]).ToFrozenSet(),
        MaxRetryAfter = o.Retry.MaxRetryAfter,
        Backoff = o.Retry.Backoff,
        Budget = o.Retry.Budget,
        BudgetFloor = o.Retry.BudgetFloor,
        Reconnect = ReconnectSettings.From(o.Reconnect),
        Concurrency = ConcurrencySettings.From(o.Concurrency),
        Hedging = HedgingSettings.From(o.Hedging),
        Credential = ClusterCredential.From(clusterId, o.Credentials),
        ForwardClientCredentials = o.ForwardClientCredentials,
        Terminal = o.Terminal,
        ModelMap = modelMap,
    };

    /// <summary>Clusters may name each other, so the links are set once all are made, before anybody sees them.</summary>
    public void Link(IReadOnlyList<FallbackTarget> fallback) => Fallback = fallback;
}

/// <summary>A fallback cluster and the model to ask it for; null is the request's own.</summary>
internal sealed record FallbackTarget(ClusterSettings Cluster, string? Model);

/// <summary>A validated, immutable copy of <see cref="ReconnectOptions"/>.</summary>
internal sealed record ReconnectSettings(TimeSpan Delay, TimeSpan MaxDelay, TimeSpan Timeout, TimeSpan Idle)
{
    public static ReconnectSettings From(ReconnectOptions o) => new(o.Delay, o.MaxDelay, o.Timeout, o.Idle);
}
