using Microsoft.Extensions.Configuration;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>
/// Where the order of keys matters (the first model pattern wins), it is the file's. <see cref="IConfiguration"/> sorts keys, so
/// a provider that knows the file's order says so; without one the more specific pattern goes first.
/// </summary>
internal static class FileOrder
{
    public static IEnumerable<IConfigurationSection> Children(IConfiguration root, IConfigurationSection section)
    {
        var children = section.GetChildren().ToList();
        var ordered = (root as IConfigurationRoot)?.Providers.OfType<IKeyOrder>().LastOrDefault();
        return ordered is null
            ? children.OrderByDescending(c => c.Key.AsSpan().IndexOfAny('*', '?') is var i && i < 0 ? int.MaxValue : i)
            : children.OrderBy(c => ordered.PositionOf(c.Path));
    }
}

/// <summary>A configuration provider that knows in which order keys stand in its file.</summary>
public interface IKeyOrder
{
    /// <summary>Position of a key path (<c>A:B:C</c>, any case) in the file; <see cref="int.MaxValue"/> where it is not in it.</summary>
    int PositionOf(string path);
}
