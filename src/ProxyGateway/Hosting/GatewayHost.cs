using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenTelemetry.Metrics;
using ProxyGateway.Clients;
using ProxyGateway.Configuration;
using ProxyGateway.Management;
using ProxyGateway.StreamingFallback;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Hosting;

/// <summary>Puts the gateway together: listeners, YARP, streaming fallback, management port, drain.</summary>
internal static class GatewayHost
{
    /// <summary>Builds the gateway over a configuration that is already valid. <paramref name="configure"/> may add to the builder (tests).</summary>
    public static WebApplication Build(Action<IConfigurationBuilder> addConfiguration, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        addConfiguration(builder.Configuration);
        var options = new GatewayOptions();
        builder.Configuration.GetSection("Gateway").Bind(options);

        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddFilter("Yarp", LogLevel.Error).AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
            // What stops the start is said once, in words.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        AddConsole(builder, options);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain.Timeout + TimeSpan.FromSeconds(5));
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy")).AddStreamingFallback();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<Readiness>();
        ManagementSite.AddTo(builder.Services);
        builder.Services.AddSingleton<ManagementServer>();
        builder.Services.AddHostedService(s => s.GetRequiredService<ManagementServer>());
        builder.Services.AddHostedService<DrainService>();
        builder.Services.AddSingleton<ClientRegistry>();
        builder.Services.AddHostedService<OpenListenerWarning>();
        builder.Services.AddSingleton<ILoggerFactory>(s => new QuietLoggerFactory(ActivatorUtilities.CreateInstance<LoggerFactory>(s)));
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseRouting();
        app.MapReverseProxy(proxy =>
        {
            proxy.UseMiddleware<ClientKeyMiddleware>();
            proxy.UseStreamingFallback();
        });
        return app;
    }

    private static void AddConsole(WebApplicationBuilder builder, GatewayOptions options)
    {
        if (options.LogFormat == LogFormat.Json)
        {
            builder.Logging.AddJsonConsole(o => o.UseUtcTimestamp = true);
        }
        else
        {
            builder.Logging.AddSimpleConsole(o =>
            {
                o.SingleLine = true;
                o.UseUtcTimestamp = true;
                o.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            });
        }
    }

    private static void Listen(KestrelServerOptions kestrel, GatewayOptions options)
    {
        kestrel.AddServerHeader = false;
        // The exchange has its own limit, per configuration and in the route's format.
        kestrel.Limits.MaxRequestBodySize = null;
        ListenerBinding.Bind(kestrel, options.Listen, HttpProtocols.Http1AndHttp2, options.Certificate);
        if (!string.IsNullOrEmpty(options.ListenHttp2))
        {
            ListenerBinding.Bind(kestrel, options.ListenHttp2, HttpProtocols.Http2, options.Certificate);
        }
    }
}
