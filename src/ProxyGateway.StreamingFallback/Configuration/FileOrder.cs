using Microsoft.Extensions.Configuration;

namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>
/// Where the order of keys matters (the first model pattern wins), it is the file's. <see cref="IConfiguration"/> sorts keys, so
/// a provider that knows the file's order says so; without one the more specific pattern goes first.
/// </summary>
internal static class FileOrder
{
    /// <summary>
    /// The values under a section by their names below it. A name may hold colons (<c>llama3:8b</c>), which configuration takes
    /// for levels.
    /// </summary>
    public static IEnumerable<(string Name, string Value)> Values(IConfiguration root, IConfigurationSection section)
    {
        var children = Leaves(section).Select(c => (Section: c, Key: c.Path[(section.Path.Length + 1)..])).ToList();
        var ordered = (root as IConfigurationRoot)?.Providers.OfType<IKeyOrder>().LastOrDefault();
        return ordered is null
            ? Named(children.OrderByDescending(c => c.Key.AsSpan().IndexOfAny('*', '?') is var i && i < 0 ? int.MaxValue : i))
            : Named(children.OrderBy(c => ordered.PositionOf(c.Section.Path)));
    }

    private static IEnumerable<IConfigurationSection> Leaves(IConfigurationSection section) =>
        section.GetChildren().SelectMany(c => c.Value is null ? Leaves(c) : Leaves(c).Prepend(c));

    private static IEnumerable<(string Name, string Value)> Named(IEnumerable<(IConfigurationSection Section, string Key)> children) =>
        children.Select(c => (c.Key, c.Section.Value!));
}

/// <summary>A configuration provider that knows in which order keys stand in its file.</summary>
public interface IKeyOrder
{
    /// <summary>Position of a key path (<c>A:B:C</c>, any case) in the file; <see cref="int.MaxValue"/> where it is not in it.</summary>
    int PositionOf(string path);
}
