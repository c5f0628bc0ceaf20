using System.Collections.Frozen;
using ProxyGateway.StreamingFallback.CircuitBreaking;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>A validated, immutable copy of <see cref="ClusterFallbackOptions"/>.</summary>
internal sealed class ClusterSettings
{
    private static readonly TimeSpan ShortestTimeout = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);
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

    /// <exception cref="InvalidOperationException">A value is out of its documented range; the message names the option.</exception>
    public static ClusterSettings From(string clusterId, ClusterFallbackOptions o, FrozenDictionary<string, string> modelMap)
    {
        var path = $"Clusters:{clusterId}";
        var timeouts = new OptionBlock($"{path}:Timeouts");
        var retry = new OptionBlock($"{path}:Retry");
        var statuses = new OptionBlock($"{path}:Retry:Statuses");
        return new()
        {
            ClusterId = clusterId,
            CircuitBreaker = CircuitBreakerSettings.From(o.CircuitBreaker, $"{path}:CircuitBreaker"),
            ConnectTimeout = ConnectTimeoutOf(clusterId, o.Timeouts),
            ResponseHeadersTimeout = timeouts.Within(o.Timeouts.ResponseHeaders, ShortestTimeout, LongestTimeout),
            FirstContentTimeout = timeouts.Within(o.Timeouts.FirstContent, ShortestTimeout, LongestTimeout),
            IdleTimeout = timeouts.Within(o.Timeouts.Idle, ShortestTimeout, LongestTimeout),
            AnswerTimeout = timeouts.Within(o.Timeouts.Answer, ShortestTimeout, LongestTimeout),
            ReplayTimeout = timeouts.Within(o.Timeouts.Replay, ShortestTimeout, LongestTimeout),
            RetryStatuses = (o.Retry.Statuses ?? [.. DefaultRetryStatuses]).Select((s, i) => statuses.Within(s, 400, 599, $"{i}")).ToFrozenSet(),
            MaxRetryAfter = retry.Within(o.Retry.MaxRetryAfter, TimeSpan.Zero, TimeSpan.FromMinutes(5)),
            Backoff = retry.Within(o.Retry.Backoff, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
            Budget = retry.Within(o.Retry.Budget, 0, 1),
            BudgetFloor = retry.Within(o.Retry.BudgetFloor, 0, 10_000),
            Reconnect = ReconnectSettings.From(o.Reconnect, $"{path}:Reconnect"),
            Concurrency = ConcurrencySettings.From(o.Concurrency, $"{path}:Concurrency"),
            Hedging = HedgingSettings.From(o.Hedging, $"{path}:Hedging"),
            Credential = ClusterCredential.From(clusterId, o.Credentials),
            ForwardClientCredentials = o.ForwardClientCredentials,
            Terminal = new OptionBlock(path).Defined(o.Terminal),
            ModelMap = modelMap,
        };
    }

    /// <summary>The one clock that holds for plain YARP routes as well.</summary>
    /// <exception cref="InvalidOperationException">It is out of its documented range.</exception>
    public static TimeSpan ConnectTimeoutOf(string clusterId, TimeoutOptions o) =>
        new OptionBlock($"Clusters:{clusterId}:Timeouts").Within(o.Connect, ShortestTimeout, TimeSpan.FromMinutes(5));

    /// <summary>Clusters may name each other, so the links are set once all are made, before anybody sees them.</summary>
    public void Link(IReadOnlyList<FallbackTarget> fallback) => Fallback = fallback;
}

/// <summary>A fallback cluster and the model to ask it for; null is the request's own.</summary>
internal sealed record FallbackTarget(ClusterSettings Cluster, string? Model);

/// <summary>A validated, immutable copy of <see cref="ReconnectOptions"/>.</summary>
internal sealed record ReconnectSettings(TimeSpan Delay, TimeSpan MaxDelay, TimeSpan Timeout, TimeSpan Idle)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <exception cref="InvalidOperationException">A value is out of its documented range; the message names the option.</exception>
    public static ReconnectSettings From(ReconnectOptions o, string path = "Reconnect")
    {
        var block = new OptionBlock(path);
        return new(
            block.Within(o.Delay, Shortest, TimeSpan.FromMinutes(1)),
            block.Within(o.MaxDelay, Shortest, TimeSpan.FromMinutes(5)),
            block.Within(o.Timeout, TimeSpan.Zero, Day),
            block.Within(o.Idle, TimeSpan.Zero, Day));
    }
}
