using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.AgentApi;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.LoadBalancing;
using ProxyGateway.StreamingFallback.ModelList;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.StreamingFallback.Transforms;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.LoadBalancing;

namespace ProxyGateway.StreamingFallback;

/// <summary>Adds streaming fallback to a YARP application.</summary>
public static class StreamingFallbackExtensions
{
    /// <summary>Property of a pipeline that has streaming fallback. Branches of it inherit it.</summary>
    private const string InPipelineKey = "ProxyGateway.StreamingFallback";

    /// <summary>
    /// Adds the services. Options are read from the application's configuration: <c>StreamingFallback</c> for the limits, and
    /// <c>ReverseProxy</c> (the section most applications give to <c>LoadFromConfig</c>) for routes and clusters.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IReverseProxyBuilder AddStreamingFallback(this IReverseProxyBuilder builder) => builder.AddStreamingFallback("ReverseProxy");

    /// <summary>As <see cref="AddStreamingFallback(IReverseProxyBuilder)"/>, with another name for YARP's section.</summary>
    /// <param name="builder">YARP's builder.</param>
    /// <param name="proxySection">Path of the section that was given to <c>LoadFromConfig</c>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReverseProxyBuilder AddStreamingFallback(this IReverseProxyBuilder builder, string proxySection)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(proxySection);
        var services = builder.Services;
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<CircuitRegistry>();
        services.TryAddSingleton<LimitRegistry>();
        services.TryAddSingleton<ClusterVisits>();
        services.AddSingleton<IConfigChangeListener, RemovedClusters>();
        services.AddSingleton<ILoadBalancingPolicy, FirstContentEwmaPolicy>();
        services.TryAddSingleton<GatewayMetrics>();
        services.TryAddSingleton<ClusterMetrics>();
        services.AddSingleton<IConfigChangeListener>(s => s.GetRequiredService<ClusterMetrics>());
        services.TryAddSingleton<RecentEvents>();
        services.TryAddSingleton<LiveExchanges>();
        services.TryAddSingleton<DrainSignal>();
        services.TryAddSingleton<ExchangeServices>();
        services.TryAddSingleton<ModelLists>();
        UseUpstreamClients(services);
        services.TryAddSingleton(s =>
        {
            var root = s.GetRequiredService<IConfiguration>();
            return new StreamingFallbackConfigurationSource(root.GetSection(proxySection), root, s.GetServices<IProxyConfigProvider>());
        });
        builder.AddConfigFilter<StreamingFallbackConfigFilter>();
        builder.AddTransforms<WholeBodyTransform>();
        builder.AddTransforms<DecompressionTransform>();
        builder.AddTransforms<CredentialTransform>();
        builder.AddTransforms<GatewayHeadersTransform>();
        builder.AddTransforms<TraceContextTransform>();
        return builder;
    }

    /// <summary>Takes the place of YARP's own factory of HTTP clients; an application that brought one of its own keeps it.</summary>
    private static void UseUpstreamClients(IServiceCollection services)
    {
        var known = services.LastOrDefault(d => d.ServiceType == typeof(IForwarderHttpClientFactory));
        if (known is null || known.ImplementationType == typeof(ForwarderHttpClientFactory))
        {
            services.Replace(ServiceDescriptor.Singleton<IForwarderHttpClientFactory, UpstreamClientFactory>());
        }
    }

    /// <summary>
    /// The proxy pipeline of an application with streaming fallback, in this order: model list, agentapi, exchange, session affinity, load balancing,
    /// passive health checks, verdict on the attempt; YARP adds its forwarder behind. Use it in <c>MapReverseProxy</c> in place of
    /// YARP's own three steps. Routes without a chat format go through as they would without it.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="proxy"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The services were not added, or the pipeline has streaming fallback already.</exception>
    public static IReverseProxyApplicationBuilder UseStreamingFallback(this IReverseProxyApplicationBuilder proxy)
    {
        ArgumentNullException.ThrowIfNull(proxy);
        if (proxy.ApplicationServices.GetService<StreamingFallbackConfigurationSource>() is null)
        {
            throw new InvalidOperationException("UseStreamingFallback needs its services: call AddReverseProxy().AddStreamingFallback() first.");
        }

        // An exchange inside an exchange would recover what the inner one has recovered: each failure would cost the square of its attempts.
        if (!proxy.Properties.TryAdd(InPipelineKey, true))
        {
            throw new InvalidOperationException("UseStreamingFallback was called twice for one proxy pipeline; once is enough for all of its routes.");
        }

        UpstreamClientFactory.WarnOfOther(
            proxy.ApplicationServices.GetRequiredService<IForwarderHttpClientFactory>(),
            proxy.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("ProxyGateway.StreamingFallback"));
        proxy.UseMiddleware<ModelListMiddleware>();
        proxy.UseMiddleware<AgentApiMiddleware>();
        proxy.UseMiddleware<ExchangeMiddleware>();
        proxy.UseSessionAffinity();
        proxy.UseLoadBalancing();
        proxy.UsePassiveHealthChecks();
        proxy.UseMiddleware<AttemptVerdictMiddleware>();
        return proxy;
    }
}
