using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.Configuration.Reload;

/// <summary>What YARP makes of a swap. It takes a configuration on, or keeps its own, while the swap is signalled.</summary>
internal sealed class ProxyVerdict : IConfigChangeListener
{
    private volatile Exception? _failure;

    /// <summary>Why YARP kept its own at the last swap; null where it took the new one on.</summary>
    public Exception? Failure => _failure;

    /// <summary>Before a swap.</summary>
    public void Clear() => _failure = null;

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) => _failure = exception;

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) => _failure = exception;

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }
}
