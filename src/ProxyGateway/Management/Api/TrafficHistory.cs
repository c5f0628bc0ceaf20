using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Management.Api;

/// <summary>The last minutes of traffic, a sample a second, so that a page that is opened after the trouble still shows it.</summary>
internal sealed class TrafficHistory(LiveExchanges live, TimeProvider time) : IDisposable
{
    /// <summary>Samples kept.</summary>
    public const int Capacity = 300;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly string[] Columns = ["time", "active", .. Enum.GetValues<ExchangeOutcome>().Select(o => o.Label())];

    private readonly EventRing<long[]> _samples = new(Capacity);
    private ITimer? _timer;

    public void Start() => _timer = time.CreateTimer(static s => ((TrafficHistory)s!).Sample(), this, TimeSpan.Zero, Interval);

    public TrafficDocument Describe() => new(Columns, [.. _samples.Latest().Reverse()]);

    public void Dispose() => _timer?.Dispose();

    private void Sample() => _samples.Add([time.GetUtcNow().ToUnixTimeSeconds(), live.Count, .. live.Ended()]);
}
