using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Hedging;
using Xunit;

namespace ProxyGateway.Tests.Hedging;

public sealed class HedgePolicyTests
{
    private static readonly HedgingSettings Observing = HedgingSettings.From(new HedgingOptions { Enabled = true });
    private static readonly HedgingSettings Fixed = Observing with { Delay = TimeSpan.FromSeconds(2) };

    private static readonly HedgeSituation May = new()
    {
        Settings = Fixed,
        Observed = null,
        Mode = AttemptMode.Streaming,
        Delivered = DeliveredKind.Nothing,
        RecoveryEnabled = true,
        Replay = ReplayPolicy.Safe,
        AttemptsLeft = 1,
        AttemptsHere = 1,
        IsProbe = false,
        BindsClients = false,
        Destinations = 2,
    };

    private static readonly Dictionary<string, (HedgeSituation Situation, double? Seconds)> Table = new()
    {
        ["a fixed delay"] = (May, 2),
        ["a fixed delay beats what was observed"] = (May with { Observed = TimeSpan.FromSeconds(5) }, 2),
        ["as observed"] = (May with { Settings = Observing, Observed = TimeSpan.FromSeconds(1.5) }, 1.5),
        ["observed less than the least"] = (May with { Settings = Observing, Observed = TimeSpan.FromMilliseconds(3) }, 0.1),
        ["too little observed"] = (May with { Settings = Observing }, null),
        ["switched off"] = (May with { Settings = Fixed with { Enabled = false } }, null),
        ["recovery is off"] = (May with { RecoveryEnabled = false }, null),
        ["may not be sent twice"] = (May with { Replay = ReplayPolicy.Never }, null),
        ["may be sent again only where nothing arrived"] = (May with { Replay = ReplayPolicy.BeforeContent }, null),
        ["not a stream"] = (May with { Mode = AttemptMode.NonStreaming }, null),
        ["content is delivered"] = (May with { Delivered = DeliveredKind.Text }, null),
        ["no attempt left"] = (May with { AttemptsLeft = 0 }, null),
        ["the cluster is asked for the second time"] = (May with { AttemptsHere = 2 }, null),
        ["a probe"] = (May with { IsProbe = true }, null),
        ["clients are bound"] = (May with { BindsClients = true }, null),
        ["one destination"] = (May with { Destinations = 1 }, null),
    };

    public static TheoryData<string> Rows => [.. Table.Keys];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Situation_Delay(string row)
    {
        var (situation, seconds) = Table[row];
        Assert.Equal(seconds, HedgePolicy.DelayFor(situation)?.TotalSeconds);
    }

    public static TheoryData<string, Action<HedgingOptions>> OutOfRange => new()
    {
        { nameof(HedgingOptions.Percentile), o => o.Percentile = 0.4 },
        { nameof(HedgingOptions.Percentile), o => o.Percentile = 1 },
        { nameof(HedgingOptions.Percentile), o => o.Percentile = double.NaN },
        { nameof(HedgingOptions.Delay), o => o.Delay = TimeSpan.Zero },
        { nameof(HedgingOptions.MinDelay), o => o.MinDelay = TimeSpan.FromHours(1) },
        { nameof(HedgingOptions.MinSamples), o => o.MinSamples = 0 },
        { nameof(HedgingOptions.MinSamples), o => o.MinSamples = 257 },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void ValueOutOfRange_IsRefusedByName(string option, Action<HedgingOptions> change)
    {
        var options = new HedgingOptions();
        change(options);
        Assert.StartsWith($"Hedging:{option}: ", Assert.Throws<InvalidOperationException>(() => HedgingSettings.From(options)).Message);
    }
}
