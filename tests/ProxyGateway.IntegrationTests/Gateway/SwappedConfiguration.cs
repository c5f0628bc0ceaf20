using Microsoft.Extensions.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>A configuration that a test exchanges as a whole.</summary>
internal sealed class SwappedConfiguration : ConfigurationProvider, IConfigurationSource
{
    public SwappedConfiguration(IReadOnlyDictionary<string, string?> values) => Data = Copy(values);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Swap(IReadOnlyDictionary<string, string?> values)
    {
        Data = Copy(values);
        OnReload();
    }

    private static Dictionary<string, string?> Copy(IReadOnlyDictionary<string, string?> values) => new(values, StringComparer.OrdinalIgnoreCase);
}

/// <summary>Counts the configurations that YARP took on.</summary>
internal sealed class AppliedConfigurations : IConfigChangeListener
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => Interlocked.Increment(ref _count);

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
