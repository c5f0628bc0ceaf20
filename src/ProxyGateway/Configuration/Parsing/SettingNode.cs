using System.Globalization;

namespace ProxyGateway.Configuration.Parsing;

internal enum SettingKind
{
    Object,
    Array,
    Text,
    Number,
    Boolean,
    Null,
}

/// <summary>
/// One key with its value and the place of both. The tree keeps file order, because the first matching model pattern
/// wins; names compare without case, as everywhere in .NET configuration.
/// </summary>
internal sealed class SettingNode(string name, string path, SettingKind kind, string? value, SettingOrigin keyOrigin, SettingOrigin origin)
{
    private readonly List<SettingNode> _children = [];
    private readonly Dictionary<string, SettingNode> _byName = new(StringComparer.OrdinalIgnoreCase);

    public string Name { get; } = name;

    /// <summary>Levels joined by a colon, as .NET configuration writes them.</summary>
    public string Path { get; } = path;

    public SettingKind Kind { get; private set; } = kind;

    /// <summary>The text of a scalar; null for blocks, lists and JSON null.</summary>
    public string? Value { get; private set; } = value;

    public SettingOrigin KeyOrigin { get; } = keyOrigin;

    public SettingOrigin Origin { get; private set; } = origin;

    public IReadOnlyList<SettingNode> Children => _children;

    public bool IsScalar => Kind is SettingKind.Text or SettingKind.Number or SettingKind.Boolean;

    /// <summary>A JSON list, or a block whose keys are all list positions, as overrides from the environment make it.</summary>
    public bool IsList => Kind == SettingKind.Array || (Kind == SettingKind.Object && _children.Count > 0 && _children.TrueForAll(IsPosition));

    public SettingNode? this[string child] => _byName.GetValueOrDefault(child);

    public SettingNode? Find(params ReadOnlySpan<string> names)
    {
        var node = this;
        foreach (var each in names)
        {
            node = node?[each];
        }

        return node;
    }

    /// <summary>Adds a child; false where a child of that name exists.</summary>
    public bool Add(SettingNode child)
    {
        if (!_byName.TryAdd(child.Name, child))
        {
            return false;
        }

        _children.Add(child);
        return true;
    }

    /// <summary>An override from a source with more say.</summary>
    public void Replace(string text, SettingOrigin from)
    {
        Kind = SettingKind.Text;
        Value = text;
        Origin = from;
        _children.Clear();
        _byName.Clear();
    }

    /// <summary>Makes room for children under what was null or a scalar.</summary>
    public void BecomeObject()
    {
        if (Kind is not (SettingKind.Object or SettingKind.Array))
        {
            Kind = SettingKind.Object;
            Value = null;
        }
    }

    public static string Join(string parent, string name) => parent.Length == 0 ? name : $"{parent}:{name}";

    private static bool IsPosition(SettingNode node) => int.TryParse(node.Name, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
