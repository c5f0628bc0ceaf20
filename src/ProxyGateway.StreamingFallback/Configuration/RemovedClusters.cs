using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Limits;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>Forgets circuits and limits of clusters that the configuration no longer has, once YARP has taken it on.</summary>
internal sealed class RemovedClusters(CircuitRegistry circuits, LimitRegistry limits) : IConfigChangeListener
{
    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
        var ids = proxyConfigs.SelectMany(c => c.Clusters).Select(c => c.ClusterId).ToList();
        circuits.Retain(ids);
        limits.Retain(ids);
    }

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception)
    {
    }

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception)
    {
    }
}
