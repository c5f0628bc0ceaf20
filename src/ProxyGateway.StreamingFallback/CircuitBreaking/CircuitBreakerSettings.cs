using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>Validated, immutable copy of <see cref="CircuitBreakerOptions"/>. Part of one configuration snapshot.</summary>
internal sealed record CircuitBreakerSettings
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    private CircuitBreakerSettings()
    {
    }

    public static CircuitBreakerSettings Default { get; } = From(new CircuitBreakerOptions());

    public required bool Enabled { get; init; }

    public required CircuitBreakerMode Mode { get; init; }

    public required int FailureThreshold { get; init; }

    public required double FailureRatio { get; init; }

    public required TimeSpan SamplingDuration { get; init; }

    public required int MinimumThroughput { get; init; }

    public required TimeSpan BreakDuration { get; init; }

    public required TimeSpan MaxBreakDuration { get; init; }

    public required double BreakFactor { get; init; }

    public required double BreakJitter { get; init; }

    public required int HalfOpenProbes { get; init; }

    public required TimeSpan ProbeTimeout { get; init; }

    public required TimeSpan SlowCallThreshold { get; init; }

    public required OpenCircuitAction? OnOpen { get; init; }

    public required AllOpenAction OnAllOpen { get; init; }

    /// <param name="options">What is copied.</param>
    /// <param name="path">Where the options stand, for whoever has to correct one.</param>
    /// <exception cref="InvalidOperationException">A value is out of its documented range; the message names the option.</exception>
    public static CircuitBreakerSettings From(CircuitBreakerOptions options, string path = "CircuitBreaker")
    {
        var block = new OptionBlock(path);
        return new()
        {
            Enabled = options.Enabled,
            Mode = block.Defined(options.Mode),
            FailureThreshold = block.Within(options.FailureThreshold, 1, 10_000),
            FailureRatio = block.Above(options.FailureRatio, 0, 1),
            SamplingDuration = block.Within(options.SamplingDuration, TimeSpan.FromMilliseconds(500), s_hour),
            MinimumThroughput = block.Within(options.MinimumThroughput, 2, 100_000),
            BreakDuration = block.Within(options.BreakDuration, s_shortest, s_day),
            MaxBreakDuration = block.Within(options.MaxBreakDuration, options.BreakDuration, s_day),
            BreakFactor = block.Within(options.BreakFactor, 1, 10),
            BreakJitter = block.Within(options.BreakJitter, 0, 0.5),
            HalfOpenProbes = block.Within(options.HalfOpenProbes, 1, 100),
            ProbeTimeout = block.Within(options.ProbeTimeout, s_shortest, s_hour),
            SlowCallThreshold = block.Within(options.SlowCallThreshold, TimeSpan.Zero, s_hour),
            OnOpen = options.OnOpen is { } onOpen ? block.Defined(onOpen, nameof(options.OnOpen)) : null,
            OnAllOpen = block.Defined(options.OnAllOpen),
        };
    }

    /// <summary>The length of the next break.</summary>
    /// <param name="earlierBreaks">Breaks since the last complete answer.</param>
    /// <param name="random">From 0 up to 1. Jitter only shortens, so that neither the break nor a Retry-After made from it is ever longer than configured, and gateways stay out of step at <see cref="MaxBreakDuration"/> too.</param>
    /// <param name="atLeast">What the upstream asked for. Never more than <see cref="MaxBreakDuration"/>: an upstream must not be able to switch itself off for a day.</param>
    public TimeSpan NextBreak(int earlierBreaks, double random, TimeSpan atLeast)
    {
        var grown = Math.Min(BreakDuration.Ticks * Math.Pow(BreakFactor, earlierBreaks), MaxBreakDuration.Ticks);
        var own = (long)(grown * (1 - (BreakJitter * random)));
        return TimeSpan.FromTicks(Math.Max(own, Math.Min(atLeast.Ticks, MaxBreakDuration.Ticks)));
    }
}
