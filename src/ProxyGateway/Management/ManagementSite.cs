using ProxyGateway.Configuration.Reload;
using ProxyGateway.Management.Api;
using ProxyGateway.Management.Page;
using ProxyGateway.Management.Security;
using ProxyGateway.Management.Settings;

namespace ProxyGateway.Management;

/// <summary>The status page and the management API, with the guard in front of both.</summary>
internal sealed class ManagementSite(ManagementGuard guard, ApiEndpoints api, PageFiles page, StatusFeed feed, TrafficHistory traffic)
{
    public static void AddTo(IServiceCollection services)
    {
        // A host that was given a reloader has more to tell.
        services.AddSingleton<IConfigurationReport>(s => s.GetService<ConfigurationReloader>() is { } reloader
            ? new ReloadingConfigurationReport(reloader, s.GetRequiredService<IConfiguration>())
            : new StartupConfigurationReport(s.GetRequiredService<IConfiguration>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ProcessFacts>();
        services.AddSingleton<StatusReport>();
        services.AddSingleton<StatusFeed>();
        services.AddSingleton<TrafficHistory>();
        services.AddSingleton<CircuitControl>();
        services.AddSingleton<ApiEndpoints>();
        services.AddSingleton<PageFiles>();
        services.AddSingleton<ManagementAccess>();
        services.AddSingleton<ManagementGuard>();
        services.AddSingleton<ManagementSite>();
    }

    public void Map(WebApplication app)
    {
        app.Use(guard.InvokeAsync);
        api.Map(app);
        page.Map(app);
    }

    public void Start()
    {
        traffic.Start();
        feed.Start();
    }
}
