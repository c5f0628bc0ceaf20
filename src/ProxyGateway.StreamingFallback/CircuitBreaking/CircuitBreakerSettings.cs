using System.Runtime.CompilerServices;
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

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its documented range; the parameter is the option's name.</exception>
    public static CircuitBreakerSettings From(CircuitBreakerOptions options) => new()
    {
        Enabled = options.Enabled,
        Mode = Defined(options.Mode),
        FailureThreshold = Within(options.FailureThreshold, 1, 10_000),
        FailureRatio = Within(options.FailureRatio, double.Epsilon, 1),
        SamplingDuration = Within(options.SamplingDuration, TimeSpan.FromMilliseconds(500), s_hour),
        MinimumThroughput = Within(options.MinimumThroughput, 2, 100_000),
        BreakDuration = Within(options.BreakDuration, s_shortest, s_day),
        MaxBreakDuration = Within(options.MaxBreakDuration, options.BreakDuration, s_day),
        BreakFactor = Within(options.BreakFactor, 1, 10),
        BreakJitter = Within(options.BreakJitter, 0, 0.5),
        HalfOpenProbes = Within(options.HalfOpenProbes, 1, 100),
        ProbeTimeout = Within(options.ProbeTimeout, s_shortest, s_hour),
        SlowCallThreshold = Within(options.SlowCallThreshold, TimeSpan.Zero, s_hour),
        OnOpen = options.OnOpen is { } action ? Defined(action, nameof(options.OnOpen)) : null,
        OnAllOpen = Defined(options.OnAllOpen),
    };

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

    private static T Within<T>(T value, T min, T max, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : IComparable<T>
        // CompareTo sorts NaN below every number, so NaN is out of range as well.
        => value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0
            ? value
            : throw new ArgumentOutOfRangeException(Name(option), value, $"must be {min} to {max}.");

    private static T Defined<T>(T value, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : struct, Enum
        => Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(Name(option), value, $"must be one of {string.Join(", ", Enum.GetNames<T>())}.");

    private static string Name(string expression) => expression[(expression.IndexOf('.') + 1)..];
}
