using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

public sealed class CircuitBreakerSettingsTests
{
    public static TheoryData<string, Action<CircuitBreakerOptions>> OutOfRange => new()
    {
        { nameof(CircuitBreakerOptions.Mode), options => options.Mode = (CircuitBreakerMode)7 },
        { nameof(CircuitBreakerOptions.FailureThreshold), options => options.FailureThreshold = 0 },
        { nameof(CircuitBreakerOptions.FailureThreshold), options => options.FailureThreshold = 10_001 },
        { nameof(CircuitBreakerOptions.FailureRatio), options => options.FailureRatio = 0 },
        { nameof(CircuitBreakerOptions.FailureRatio), options => options.FailureRatio = 1.01 },
        { nameof(CircuitBreakerOptions.FailureRatio), options => options.FailureRatio = double.NaN },
        { nameof(CircuitBreakerOptions.SamplingDuration), options => options.SamplingDuration = TimeSpan.FromSeconds(0.4) },
        { nameof(CircuitBreakerOptions.SamplingDuration), options => options.SamplingDuration = TimeSpan.FromHours(1.1) },
        { nameof(CircuitBreakerOptions.MinimumThroughput), options => options.MinimumThroughput = 1 },
        { nameof(CircuitBreakerOptions.MinimumThroughput), options => options.MinimumThroughput = 100_001 },
        { nameof(CircuitBreakerOptions.BreakDuration), options => options.BreakDuration = TimeSpan.Zero },
        { nameof(CircuitBreakerOptions.BreakDuration), options => options.BreakDuration = TimeSpan.FromDays(1.1) },
        { nameof(CircuitBreakerOptions.MaxBreakDuration), options => options.MaxBreakDuration = TimeSpan.FromSeconds(29) },
        { nameof(CircuitBreakerOptions.MaxBreakDuration), options => options.MaxBreakDuration = TimeSpan.FromDays(1.1) },
        { nameof(CircuitBreakerOptions.BreakFactor), options => options.BreakFactor = 0.5 },
        { nameof(CircuitBreakerOptions.BreakFactor), options => options.BreakFactor = 10.5 },
        { nameof(CircuitBreakerOptions.BreakJitter), options => options.BreakJitter = 0.6 },
        { nameof(CircuitBreakerOptions.BreakJitter), options => options.BreakJitter = -0.1 },
        { nameof(CircuitBreakerOptions.HalfOpenProbes), options => options.HalfOpenProbes = 0 },
        { nameof(CircuitBreakerOptions.HalfOpenProbes), options => options.HalfOpenProbes = 101 },
        { nameof(CircuitBreakerOptions.ProbeTimeout), options => options.ProbeTimeout = TimeSpan.Zero },
        { nameof(CircuitBreakerOptions.ProbeTimeout), options => options.ProbeTimeout = TimeSpan.FromHours(1.1) },
        { nameof(CircuitBreakerOptions.SlowCallThreshold), options => options.SlowCallThreshold = TimeSpan.FromSeconds(-1) },
        { nameof(CircuitBreakerOptions.SlowCallThreshold), options => options.SlowCallThreshold = TimeSpan.FromHours(1.1) },
        { nameof(CircuitBreakerOptions.OnOpen), options => options.OnOpen = (OpenCircuitAction)7 },
        { nameof(CircuitBreakerOptions.OnAllOpen), options => options.OnAllOpen = (AllOpenAction)7 },
    };

    [Theory]
    [MemberData(nameof(OutOfRange), DisableDiscoveryEnumeration = true)]
    public void ValueOutOfRange_IsRefusedByName(string option, Action<CircuitBreakerOptions> change)
    {
        var options = new CircuitBreakerOptions();
        change(options);
        Assert.StartsWith($"Clusters:a:CircuitBreaker:{option}: ", Assert.Throws<InvalidOperationException>(() => CircuitBreakerSettings.From(options, "Clusters:a:CircuitBreaker")).Message);
    }

    public static TheoryData<string, Action<CircuitBreakerOptions>> AtTheBounds => new()
    {
        { "lowest", options => (options.FailureThreshold, options.FailureRatio, options.MinimumThroughput) = (1, double.Epsilon, 2) },
        { "highest", options => (options.FailureThreshold, options.FailureRatio, options.MinimumThroughput) = (10_000, 1, 100_000) },
        { "shortest", options => options.BreakDuration = options.MaxBreakDuration = options.ProbeTimeout = TimeSpan.FromMilliseconds(10) },
        { "longest", options => options.BreakDuration = options.MaxBreakDuration = TimeSpan.FromDays(1) },
        { "an hour", options => options.SamplingDuration = options.ProbeTimeout = options.SlowCallThreshold = TimeSpan.FromHours(1) },
        { "half a second", options => (options.SamplingDuration, options.SlowCallThreshold) = (TimeSpan.FromSeconds(0.5), TimeSpan.Zero) },
        { "least growth", options => (options.BreakFactor, options.BreakJitter, options.HalfOpenProbes) = (1, 0, 1) },
        { "most growth", options => (options.BreakFactor, options.BreakJitter, options.HalfOpenProbes) = (10, 0.5, 100) },
    };

    [Theory]
    [MemberData(nameof(AtTheBounds), DisableDiscoveryEnumeration = true)]
    public void ValueAtItsBound_IsTaken(string which, Action<CircuitBreakerOptions> change)
    {
        var options = new CircuitBreakerOptions();
        change(options);
        var refusal = Record.Exception(() => CircuitBreakerSettings.From(options));
        Assert.True(refusal is null, $"{which}: {refusal?.Message}");
    }

    [Fact]
    public void Refusal_SaysWhatWouldDo()
    {
        Assert.Equal("CircuitBreaker:HalfOpenProbes: '0' must be 1 to 100.", RefusalOf(new() { HalfOpenProbes = 0 }));
        Assert.Equal("CircuitBreaker:FailureRatio: '0' must be above 0 to 1.", RefusalOf(new() { FailureRatio = 0 }));
        Assert.Equal("CircuitBreaker:ProbeTimeout: '-00:00:00.5' must be 00:00:00.01 to 01:00:00.", RefusalOf(new() { ProbeTimeout = TimeSpan.FromSeconds(-0.5) }));
        Assert.Equal("CircuitBreaker:Mode: '7' must be one of Consecutive, Ratio.", RefusalOf(new() { Mode = (CircuitBreakerMode)7 }));

        static string RefusalOf(CircuitBreakerOptions options) => Assert.Throws<InvalidOperationException>(() => CircuitBreakerSettings.From(options)).Message;
    }

    [Fact]
    public void Settings_CopyEveryOption()
    {
        var options = new CircuitBreakerOptions
        {
            Enabled = false,
            Mode = CircuitBreakerMode.Ratio,
            FailureThreshold = 7,
            FailureRatio = 0.25,
            SamplingDuration = TimeSpan.FromSeconds(11),
            MinimumThroughput = 12,
            BreakDuration = TimeSpan.FromSeconds(13),
            MaxBreakDuration = TimeSpan.FromSeconds(14),
            BreakFactor = 1.5,
            BreakJitter = 0.3,
            HalfOpenProbes = 15,
            ProbeTimeout = TimeSpan.FromSeconds(16),
            SlowCallThreshold = TimeSpan.FromSeconds(17),
            OnOpen = OpenCircuitAction.Reject,
            OnAllOpen = AllOpenAction.TryLeastBad,
        };
        var settings = CircuitBreakerSettings.From(options);

        foreach (var property in typeof(CircuitBreakerOptions).GetProperties())
        {
            var copied = typeof(CircuitBreakerSettings).GetProperty(property.Name);
            Assert.NotNull(copied);
            Assert.NotEqual(property.GetValue(new CircuitBreakerOptions()), property.GetValue(options));
            Assert.Equal(property.GetValue(options), copied.GetValue(settings));
        }
    }

    [Fact]
    public void LaterChangeOfTheOptions_DoesNotReachTheSettings()
    {
        var options = new CircuitBreakerOptions();
        var settings = CircuitBreakerSettings.From(options);
        options.FailureThreshold = 1;
        Assert.Equal(5, settings.FailureThreshold);
        Assert.Equal(CircuitBreakerSettings.Default, settings);
    }
}
