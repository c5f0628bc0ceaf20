using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using OpenTelemetry.Metrics;
using ProxyGateway.Configuration;
using ProxyGateway.Hosting;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Management;

/// <summary>
/// The management port: a server of its own in the same process, so that nothing of it can ever be reached through the proxy's
/// port. It is up before the proxy and goes down after it.
/// </summary>
internal sealed class ManagementServer(
    GatewayOptions options, IConfiguration configuration, Readiness readiness, ILoggerFactory logging, GatewayMetrics metrics, ManagementSite site) : IHostedLifecycleService, IAsyncDisposable
{
    /// <summary>Far more than scrapers, probes and open status pages need.</summary>
    private const int MaxConnections = 100;

    /// <summary>Some balancers probe with HEAD.</summary>
    private static readonly string[] s_reading = ["GET", "HEAD"];

    private WebApplication? _app;

    /// <summary>Where it really listens, once started.</summary>
    public string? Address { get; private set; }

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // The meter must exist before the first scrape.
        _ = metrics;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logging);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            ListenerBinding.Bind(kestrel, options.ManagementListen, HttpProtocols.Http1AndHttp2, options.Certificate);
        });
        builder.Services.AddRoutingCore();
        // Only the proxy's own host answers to signals.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddOpenTelemetry().WithMetrics(m => m
            .AddMeter(GatewayMetrics.MeterName)
            // A histogram's sample leads to its trace only where traces are collected.
            .SetExemplarFilter(TraceExport.IsWanted(configuration) ? ExemplarFilterType.TraceBased : ExemplarFilterType.AlwaysOff)
            .AddPrometheusExporter(o =>
            {
                o.ScopeInfoEnabled = false;
                o.ScrapeResponseCacheDurationMilliseconds = 300;
            }));
        _app = builder.Build();
        _app.UseRouting();
        site.Map(_app);
        _app.MapPrometheusScrapingEndpoint("/metrics");
        _app.MapMethods("/health/live", s_reading, static () => Results.Text("live\n"));
        _app.MapMethods("/health/ready", s_reading, () => readiness.IsReady ? Results.Text("ready\n") : Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        await _app.StartAsync(cancellationToken);
        site.Start();
        Address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync(cancellationToken);
            await app.DisposeAsync();
        }
    }

    /// <summary>A host that is disposed of without a stop must not leave a listener behind.</summary>
    public async ValueTask DisposeAsync() => await StoppedAsync(CancellationToken.None);

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
