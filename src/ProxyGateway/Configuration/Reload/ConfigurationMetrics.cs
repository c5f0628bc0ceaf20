using System.Diagnostics.Metrics;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Configuration.Reload;

/// <summary>What became of the configuration's last edit, for alerts: named and meant as Prometheus' own are.</summary>
internal sealed class ConfigurationMetrics : IDisposable
{
    private readonly Meter _meter;

    public ConfigurationMetrics(IMeterFactory factory, ConfigurationReloader reloader)
    {
        _meter = factory.Create(GatewayMetrics.MeterName);
        _meter.CreateObservableGauge("proxygateway.config.last_reload.successful", () => reloader.State.LastReloadSuccessful ? 1 : 0, null, "1 where the last edit of the configuration was taken on, 0 where it was rejected and the one before stays.");
        _meter.CreateObservableGauge("proxygateway.config.last_reload.success.timestamp", () => reloader.State.LastSuccess.ToUnixTimeMilliseconds() / 1000.0, "s", "When the configuration in force was taken on, in seconds since 1970.");
        _meter.CreateObservableGauge("proxygateway.config.version", () => reloader.State.Version, null, "How many configurations this process has taken on.");
    }

    public void Dispose() => _meter.Dispose();
}
