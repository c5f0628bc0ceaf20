using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Configuration.Reload;

/// <summary>
/// Hands out one snapshot at a time. A reader between two swaps sees the old or the new values, never a mixture of a
/// half-applied edit; children come in file order, not sorted, because the first matching model pattern wins.
/// </summary>
internal sealed class GatewayConfigurationProvider(ConfigurationSnapshot first) : ConfigurationProvider, IKeyOrder
{
    private volatile ConfigurationSnapshot _current = first;

    public ConfigurationSnapshot Current => _current;

    /// <summary>Swaps, then signals; returns when every reader that listens has read.</summary>
    public void Swap(ConfigurationSnapshot next)
    {
        _current = next;
        OnReload();
    }

    public override bool TryGet(string key, out string? value) => _current.Values.TryGetValue(key, out value);

    public int PositionOf(string path) => _current.PositionOf(path);

    /// <summary>Nothing writes through configuration; a write would be lost at the next reload.</summary>
    public override void Set(string key, string? value)
    {
    }

    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath) =>
        _current.ChildrenOf(parentPath).Concat(earlierKeys);
}

/// <summary>Adds one provider; the reloader swaps under it.</summary>
internal sealed class GatewayConfigurationSource(GatewayConfigurationProvider provider) : IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => provider;
}
