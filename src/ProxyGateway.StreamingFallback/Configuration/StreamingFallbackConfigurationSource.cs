using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Extensions.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>Where this library's options are read from: the section YARP was given, and the configuration around it.</summary>
internal sealed class StreamingFallbackConfigurationSource(IConfiguration proxySection, IConfiguration root, IEnumerable<IProxyConfigProvider> providers)
{
    public SettingsReader CreateReader() => new(proxySection, root, IsLoadedElsewhere);

    /// <summary>A cluster may come from an application's own provider, as <c>LoadFromMemory</c>, and stand in no configuration.</summary>
    private bool IsLoadedElsewhere(string clusterId) =>
        providers.Any(p => p.GetConfig().Clusters.Any(c => c.ClusterId.Equals(clusterId, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Changes whenever an option of this library changes anywhere.</summary>
    public string Fingerprint()
    {
        var hash = new XxHash3();
        foreach (var (key, value) in root.GetSection("StreamingFallback").AsEnumerable()
                     .Concat(proxySection.AsEnumerable(makePathsRelative: true))
                     .Append(new("switch", root["AGENT_FALLBACK_ENABLED"] ?? root["FALLBACK_ENABLED"])))
        {
            hash.Append(Encoding.UTF8.GetBytes($"{key}\0{value}\0"));
        }

        return hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);
    }
}
