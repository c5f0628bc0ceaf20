using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Console;
using ProxyGateway.Backplane;
using ProxyGateway.Clients;
using ProxyGateway.Configuration;
using ProxyGateway.Management;
using ProxyGateway.Management.Security;
using ProxyGateway.StreamingFallback;

namespace ProxyGateway.Hosting;

/// <summary>Puts the gateway together: listeners, YARP, streaming fallback, management port, drain.</summary>
internal static class GatewayHost
{
    private const int RequestBuffer = 128 * 1024;

    /// <summary>Builds the gateway over a configuration that is already valid. <paramref name="configure"/> may add to the builder (tests).</summary>
    public static WebApplication Build(Action<IConfigurationBuilder> addConfiguration, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        addConfiguration(builder.Configuration);
        var options = new GatewayOptions();
        builder.Configuration.GetSection("Gateway").Bind(options);

        // Request logging costs more than the request, and YARP's has whole URLs in it. The configuration comes second and may ask for it.
        builder.Logging.AddFilter("Yarp", LogLevel.Error).AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
            // It makes an Activity per request for the sake of its own log lines, and HttpClient then one more.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
            // What stops the start is said once, in words.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        AddConsole(builder, options);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options));
        if (options.InlineScheduling)
        {
            ScheduleInline(builder.Services);
        }

        builder.Services.AddRoutingCore();
        // For plain routes with a Timeout.
        builder.Services.AddRequestTimeouts();
        // All of the stop counts, the delay before the listeners close included; the rest is for writing the endings.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain.Delay + options.Drain.Timeout + TimeSpan.FromSeconds(5));
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy")).AddStreamingFallback();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<Readiness>();
        ManagementSite.AddTo(builder.Services);
        builder.Services.AddSingleton<ManagementServer>();
        builder.Services.AddHostedService(s => s.GetRequiredService<ManagementServer>());
        builder.Services.AddHostedService<StartReport>();
        builder.Services.AddHostedService<DrainService>();
        builder.Services.AddHostedService<UnobservedExceptions>();
        TraceExport.AddTo(builder.Services, builder.Configuration);
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = ClientSockets.Listen);
        builder.Services.AddSingleton<ClientRegistry>();
        BackplaneService.AddTo(builder.Services);
        builder.Services.AddHostedService<OpenListenerWarning>();
        builder.Services.AddHostedService<OpenManagementWarning>();
        builder.Services.AddSingleton<ILoggerFactory>(s => new QuietLoggerFactory(ActivatorUtilities.CreateInstance<LoggerFactory>(s)));
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseRouting();
        app.UseRequestTimeouts();
        app.MapReverseProxy(proxy =>
        {
            proxy.UseMiddleware<HopBoundaryMiddleware>();
            proxy.UseMiddleware<ClientKeyMiddleware>();
            proxy.UseStreamingFallback();
        }).ConfigureEndpoints(PlainRouteErrors.AddTo);
        return app;
    }

    /// <summary>Both sides, or there is no gain: the sockets to the upstreams by the variable, those to the clients by the server's option.</summary>
    private static void ScheduleInline(IServiceCollection services)
    {
        // Read when the process makes its first socket, which is later than this.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        services.Configure<SocketTransportOptions>(transport => transport.UnsafePreferInlineScheduling = true);
    }

    private static void AddConsole(WebApplicationBuilder builder, GatewayOptions options)
    {
        // Whoever reads the log may stop reading. By default the thread that logs then waits, and every stream with it; a lost line,
        // which the logger counts on standard error, is the smaller harm. Comes first, so that Logging:Console has the last say.
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);
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
        // A lone line feed that one hop takes for a line's end and the next does not is how requests are smuggled. Read with the options.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        // The exchange has its own limit, per configuration and in the route's format.
        kestrel.Limits.MaxRequestBodySize = null;
        // What has arrived of a body and is not wanted yet; the default of 1 MB for each connection is more than all bodies may be.
        kestrel.Limits.MaxRequestBufferSize = RequestBuffer;
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections > 0 ? options.MaxConnections : DescriptorLimit.Clients;
        ListenerBinding.Bind(kestrel, options.Listen, HttpProtocols.Http1AndHttp2, options.Certificate);
        if (!string.IsNullOrEmpty(options.ListenHttp2))
        {
            ListenerBinding.Bind(kestrel, options.ListenHttp2, HttpProtocols.Http2, options.Certificate);
        }
    }
}
