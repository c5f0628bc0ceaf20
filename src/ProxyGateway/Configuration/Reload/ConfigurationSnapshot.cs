using System.Collections.Frozen;
using System.Globalization;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Reload;

/// <summary>One valid configuration, flat as .NET configuration reads it. Immutable; children keep the file's order.</summary>
internal sealed class ConfigurationSnapshot
{
    private readonly FrozenDictionary<string, string[]> _children;
    private readonly FrozenDictionary<string, int> _positions;

    private ConfigurationSnapshot(SettingNode root, Dictionary<string, string?> values, Dictionary<string, string[]> children)
    {
        Root = root;
        Values = values;
        _positions = values.Keys.Select((key, position) => KeyValuePair.Create(key, position)).ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        _children = children.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    public static ConfigurationSnapshot Empty { get; } = Of(SettingsParser.Empty(""));

    /// <summary>The tree it was made from, with the place of every value.</summary>
    public SettingNode Root { get; }

    /// <summary>Never written to after construction.</summary>
    public Dictionary<string, string?> Values { get; }

    public static ConfigurationSnapshot Of(SettingNode root)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        Flatten(root, values);

        // From the keys rather than from the tree, because a name may hold a colon, which then is two levels.
        var children = new Dictionary<string, List<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (var key in values.Keys)
        {
            for (int start = 0, end; start <= key.Length; start = end + 1)
            {
                end = key.IndexOf(':', start);
                end = end < 0 ? key.Length : end;
                var parent = start == 0 ? "" : key[..(start - 1)];
                if (!children.TryGetValue(parent, out var list))
                {
                    children[parent] = list = [];
                }

                var name = key[start..end];
                if (!list.Contains(name, StringComparer.OrdinalIgnoreCase))
                {
                    list.Add(name);
                }
            }
        }

        return new ConfigurationSnapshot(root, values, children.ToDictionary(c => c.Key, c => Ordered(c.Value), StringComparer.OrdinalIgnoreCase));
    }

    public IReadOnlyList<string> ChildrenOf(string? path) => _children.GetValueOrDefault(path ?? "", []);

    /// <summary>Position of a value among all values in file order.</summary>
    public int PositionOf(string path) => _positions.GetValueOrDefault(path, int.MaxValue);

    private static void Flatten(SettingNode node, Dictionary<string, string?> values)
    {
        if (node.Children.Count == 0)
        {
            if (node.Path.Length > 0)
            {
                values[node.Path] = TextOf(node);
            }

            return;
        }

        foreach (var child in node.Children)
        {
            Flatten(child, values);
        }
    }

    /// <summary>As the stock JSON provider has it: an empty list is an empty text, an empty block is null, switches are capitalized.</summary>
    private static string? TextOf(SettingNode node) => node.Kind switch
    {
        SettingKind.Array => "",
        SettingKind.Boolean => node.Value == "true" ? bool.TrueString : bool.FalseString,
        _ => node.Value,
    };

    /// <summary>List positions by number, since an override may have been added last; all else as written.</summary>
    private static string[] Ordered(List<string> names) =>
        names.TrueForAll(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            ? [.. names.OrderBy(n => int.Parse(n, CultureInfo.InvariantCulture))]
            : [.. names];
}
