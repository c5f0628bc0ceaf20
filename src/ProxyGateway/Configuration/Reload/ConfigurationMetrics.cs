using System.Diagnostics.Metrics;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Configuration.Reload;

/// <summary>What became of the configuration's last edit, for alerts: named and meant as Prometheus' own are.</summary>
internal sealed class ConfigurationMetrics : IDisposable
{
    public static MetricDefinition LastReloadSuccessful { get; } = new(MetricKind.Gauge, "proxygateway.config.last_reload.successful", null, "1 where the last edit of the configuration was taken on, 0 where it was rejected and the one before stays.");

    public static MetricDefinition LastReloadSuccess { get; } = new(MetricKind.Gauge, "proxygateway.config.last_reload.success.timestamp", "s", "When the configuration in force was taken on, in seconds since 1970.");

    public static MetricDefinition Version { get; } = new(MetricKind.Gauge, "proxygateway.config.version", null, "How many configurations this process has taken on.");

    public static IReadOnlyList<MetricDefinition> All { get; } = [LastReloadSuccessful, LastReloadSuccess, Version];

    private readonly Meter _meter;

    public ConfigurationMetrics(IMeterFactory factory, ConfigurationReloader reloader)
    {
        _meter = factory.Create(GatewayMetrics.MeterName);
        Gauge(LastReloadSuccessful, () => reloader.State.LastReloadSuccessful ? 1 : 0);
        Gauge(LastReloadSuccess, () => reloader.State.LastSuccess.ToUnixTimeMilliseconds() / 1000.0);
        Gauge(Version, () => reloader.State.Version);
    }

    public void Dispose() => _meter.Dispose();

    private void Gauge(MetricDefinition d, Func<double> read) => _meter.CreateObservableGauge(d.Name, read, d.Unit, d.Description);
}
