using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Hosting;

/// <summary>
/// Sends traces where OpenTelemetry's own variables say (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and what goes with it); without one of
/// them nobody listens and no span is made.
/// </summary>
internal static class TraceExport
{
    private static readonly string[] Endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

    public static bool IsWanted(IConfiguration configuration) =>
        Endpoints.Any(e => !string.IsNullOrWhiteSpace(configuration[e]))
        && !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
        && !string.Equals(configuration["OTEL_TRACES_EXPORTER"], "none", StringComparison.OrdinalIgnoreCase);

    public static void AddTo(IServiceCollection services, IConfiguration configuration)
    {
        if (!IsWanted(configuration))
        {
            return;
        }

        var isNamed = !string.IsNullOrEmpty(configuration["OTEL_SERVICE_NAME"])
            || configuration["OTEL_RESOURCE_ATTRIBUTES"]?.Contains("service.name=", StringComparison.Ordinal) == true;
        services.AddOpenTelemetry().WithTracing(traces =>
        {
            traces.AddSource(GatewayTracing.SourceName).AddOtlpExporter();
            if (!isNamed)
            {
                traces.ConfigureResource(r => r.AddService("proxygateway"));
            }
        });
    }
}
