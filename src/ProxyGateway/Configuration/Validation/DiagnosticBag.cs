using System.Text;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>Collects findings. The one place that decides whether a value may be shown.</summary>
internal sealed class DiagnosticBag
{
    private const int LongestShownValue = 60;
    private readonly List<Diagnostic> _items = [];

    public bool HasErrors => _items.Exists(d => d.Severity == Severity.Error);

    /// <summary>By place: the file from top to bottom, then the other sources.</summary>
    public IReadOnlyList<Diagnostic> Sorted() =>
    [
        .. _items
            .Distinct()
            .OrderBy(d => d.Origin.IsInFile ? 0 : 1)
            .ThenBy(d => d.Origin.Line)
            .ThenBy(d => d.Origin.Column)
            .ThenBy(d => d.Origin.Source, StringComparer.Ordinal),
    ];

    public void Error(SettingOrigin origin, string path, string what, string? value, string remedy) =>
        _items.Add(new Diagnostic(Severity.Error, origin, path, what, value, remedy));

    /// <summary>About a node's value.</summary>
    public void Error(SettingNode node, string what, string remedy) =>
        _items.Add(new Diagnostic(Severity.Error, node.Origin, PathOf(node), what, Show(node), remedy));

    public void Warning(SettingNode node, string what, string remedy) =>
        _items.Add(new Diagnostic(Severity.Warning, node.Origin, PathOf(node), what, Show(node), remedy));

    /// <summary>About a key, whatever its value is.</summary>
    public void KeyError(SettingNode node, string what, string remedy) =>
        _items.Add(new Diagnostic(Severity.Error, node.KeyOrigin, PathOf(node), what, null, remedy));

    public void KeyWarning(SettingNode node, string what, string remedy) =>
        _items.Add(new Diagnostic(Severity.Warning, node.KeyOrigin, PathOf(node), what, null, remedy));

    public bool HasErrorUnder(string path) =>
        _items.Exists(d => d.Severity == Severity.Error
            && (d.Path.Equals(path, StringComparison.OrdinalIgnoreCase) || d.Path.StartsWith(path + ":", StringComparison.OrdinalIgnoreCase)));

    private static string PathOf(SettingNode node) => node.Path.Length == 0 ? "(file)" : node.Path;

    private static string? Show(SettingNode node)
    {
        if (!node.IsScalar)
        {
            return null;
        }

        if (node.Origin.IsSecret || node.Name is "Set" or "Append" || SecretShape.IsSecret(node))
        {
            return "hidden";
        }

        if (node.Kind != SettingKind.Text)
        {
            return node.Value;
        }

        var text = node.Value!.Length > LongestShownValue ? node.Value[..LongestShownValue] + "…" : node.Value;
        var shown = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            shown.Append(char.IsControl(c) ? '?' : c);
        }

        return shown.Append('"').ToString();
    }
}
