using ProxyGateway.Management.Settings;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.Hosting;

/// <summary>
/// Says once what this process serves, one line per route and per cluster, in the order of the file. The server has named its
/// listeners by then, and nobody has been told yet that the gateway is ready.
/// </summary>
internal sealed partial class StartReport(IProxyConfigProvider proxy, IConfiguration configuration, ILogger<StartReport> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!logger.IsEnabled(LogLevel.Information))
        {
            return Task.CompletedTask;
        }

        var config = proxy.GetConfig();
        foreach (var route in config.Routes)
        {
            var format = configuration[$"ReverseProxy:Routes:{route.RouteId}:StreamingFallback:Format"];
            Route(logger, route.RouteId, Describe(route.Match), string.IsNullOrEmpty(format) ? "none" : format, route.ClusterId);
        }

        foreach (var cluster in config.Clusters)
        {
            var fallbacks = configuration.GetSection($"ReverseProxy:Clusters:{cluster.ClusterId}:Fallback").GetChildren().Select(f => f["Cluster"]);
            Cluster(logger, cluster.ClusterId, Joined(cluster.Destinations?.Values.Select(d => SafeAddress.Of(d.Address))), Joined(fallbacks));
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Conditions by name only: what a header or a query is matched with is as often a key as not.</summary>
    private static string Describe(RouteMatch match)
    {
        List<string> parts = [match.Methods is { Count: > 0 } methods ? string.Join(',', methods) : "any method", match.Path ?? "any path"];
        if (match.Hosts is { Count: > 0 } hosts)
        {
            parts.Add($"at {string.Join(',', hosts)}");
        }

        var conditions = (match.Headers?.Select(h => $"header {h.Name}") ?? []).Concat(match.QueryParameters?.Select(q => $"query {q.Name}") ?? []);
        parts.AddRange(conditions.Select(c => $"if {c}"));
        return string.Join(' ', parts);
    }

    private static string Joined(IEnumerable<string?>? names) => names is not null && string.Join(", ", names) is { Length: > 0 } list ? list : "none";

    [LoggerMessage(EventId = 1, EventName = "RouteServed", Level = LogLevel.Information, Message = "route {Route}: {Match}; format {Format}; cluster {Cluster}")]
    private static partial void Route(ILogger logger, string route, string match, string format, string? cluster);

    [LoggerMessage(EventId = 2, EventName = "ClusterServed", Level = LogLevel.Information, Message = "cluster {Cluster}: destinations {Destinations}; fallbacks {Fallbacks}")]
    private static partial void Cluster(ILogger logger, string cluster, string destinations, string fallbacks);
}
