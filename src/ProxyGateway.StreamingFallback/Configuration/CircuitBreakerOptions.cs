namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>What counts towards opening a circuit.</summary>
public enum CircuitBreakerMode
{
    /// <summary><see cref="CircuitBreakerOptions.FailureThreshold"/> failures in a row.</summary>
    Consecutive,

    /// <summary>A share of failures over a window.</summary>
    Ratio,
}

/// <summary>What happens to an exchange whose cluster's circuit is open.</summary>
public enum OpenCircuitAction
{
    /// <summary>The fallback clusters are asked.</summary>
    Fallback,

    /// <summary>503 with <c>Retry-After</c> at once; no fallback cluster is asked.</summary>
    Reject,
}

/// <summary>What happens when every cluster's circuit is open.</summary>
public enum AllOpenAction
{
    /// <summary>503 with the shortest <c>Retry-After</c>.</summary>
    Reject,

    /// <summary>The cluster whose circuit closes soonest is asked all the same.</summary>
    TryLeastBad,
}

/// <summary>The <c>CircuitBreaker</c> block of a cluster.</summary>
public sealed class CircuitBreakerOptions
{
    /// <summary>Whether the cluster has a circuit breaker. Default: true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>What counts towards opening. Default: Consecutive.</summary>
    public CircuitBreakerMode Mode { get; set; } = CircuitBreakerMode.Consecutive;

    /// <summary>Failures in a row that open the circuit (Consecutive). Default: 5. Range: 1 to 10000.</summary>
    public int FailureThreshold { get; set; } = 5;

    /// <summary>Share of failures that opens the circuit (Ratio). Default: 0.5. Range: above 0 to 1.</summary>
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>The window of the ratio. Default: 00:00:30. Range: 00:00:00.5 to 01:00:00.</summary>
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Fewest exchanges in the window for the ratio to count. Default: 10. Range: 2 to 100000.</summary>
    public int MinimumThroughput { get; set; } = 10;

    /// <summary>How long the circuit stays open the first time. Default: 00:00:30. Range: 00:00:00.01 to 1.00:00:00.</summary>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest break. Default: 00:05:00. Range: BreakDuration to 1.00:00:00.</summary>
    public TimeSpan MaxBreakDuration { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>By how much each further break in a row grows. Default: 1.25. Range: 1 to 10.</summary>
    public double BreakFactor { get; set; } = 1.25;

    /// <summary>Share by which a break is varied at random, so that gateways do not probe in step. Default: 0.1. Range: 0 to 0.5.</summary>
    public double BreakJitter { get; set; } = 0.1;

    /// <summary>Exchanges let through at a time while half-open. Default: 1. Range: 1 to 100.</summary>
    public int HalfOpenProbes { get; set; } = 1;

    /// <summary>How long a probe may be without first content or end before it counts as failed. Default: 00:02:00. Range: 00:00:00.01 to 01:00:00.</summary>
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>A first content later than this counts as a failure; zero switches it off. Default: 00:00:00. Range: 00:00:00 to 01:00:00.</summary>
    public TimeSpan SlowCallThreshold { get; set; } = TimeSpan.Zero;

    /// <summary>What happens while the circuit is open. Default: Fallback where the cluster has one, Reject elsewhere.</summary>
    public OpenCircuitAction? OnOpen { get; set; }

    /// <summary>What happens when every cluster of the plan is open. Default: Reject.</summary>
    public AllOpenAction OnAllOpen { get; set; } = AllOpenAction.Reject;
}
