using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>Every key is known and stands in its place, and has the kind of value the catalogue says.</summary>
internal static class ShapeRules
{
    public static void Check(SettingNode node, OptionNode option, DiagnosticBag diagnostics)
    {
        if (node.Kind == SettingKind.Null)
        {
            return;
        }

        switch (option.Kind)
        {
            case OptionKind.Foreign:
                return;
            case OptionKind.Block:
                CheckBlock(node, option, diagnostics);
                return;
            case OptionKind.Map:
                if (node.Kind != SettingKind.Object)
                {
                    diagnostics.Error(node, "expects a block of names", $"write \"{node.Name}\": {{ \"<{option.Item!.Name}>\": … }}");
                    return;
                }

                CheckItems(node, option, diagnostics);
                return;
            case OptionKind.List:
                if (!node.IsList && !(node.Kind == SettingKind.Object && node.Children.Count == 0))
                {
                    diagnostics.Error(node, "expects a list", $"write \"{node.Name}\": [ … ]");
                    return;
                }

                CheckItems(node, option, diagnostics);
                return;
            default:
                ScalarRules.Check(node, option, diagnostics);
                return;
        }
    }

    private static void CheckItems(SettingNode node, OptionNode option, DiagnosticBag diagnostics)
    {
        foreach (var child in node.Children)
        {
            if (child.Kind == SettingKind.Null && option.Item!.Kind == OptionKind.Block)
            {
                diagnostics.KeyError(child, "is null", "write a block { … } or take the entry out");
                continue;
            }

            Check(child, option.Item!, diagnostics);
        }
    }

    private static void CheckBlock(SettingNode node, OptionNode option, DiagnosticBag diagnostics)
    {
        if (node.Kind != SettingKind.Object)
        {
            diagnostics.Error(node, "expects a block", option.Name == "position" ? "write { … }" : $"write \"{node.Name}\": {{ … }}");
            return;
        }

        foreach (var child in node.Children)
        {
            if (option.Child(child.Name) is { } known)
            {
                Check(child, known, diagnostics);
            }
            else
            {
                diagnostics.KeyError(child, "unknown key", Remedy(child.Name, option));
            }
        }

        foreach (var required in option.Children.Where(c => c.IsRequired))
        {
            if (node[required.Name] is not { } present || present.Kind == SettingKind.Null || (present.IsScalar && string.IsNullOrWhiteSpace(present.Value)))
            {
                diagnostics.KeyError(node, $"{required.Name} is missing", $"{required.Name}: {Lower(required.Description)}");
            }
        }
    }

    private static string Remedy(string name, OptionNode block)
    {
        var names = block.Children.Select(c => c.Name).ToList();
        if (name.Contains(':', StringComparison.Ordinal))
        {
            return "nest the levels as blocks instead of joining them by a colon";
        }

        var place = OptionCatalogue.PlaceOf(name);
        return (NearMiss.Find(name, names), place) switch
        {
            ({ } meant, null) => $"did you mean {meant}?",
            ({ } meant, _) => $"did you mean {meant}? {name} belongs under {place}",
            (null, not null) => $"it belongs under {place}",
            _ => $"known here: {string.Join(", ", names)}",
        };
    }

    /// <summary>A name like SHA-256 keeps its capitals.</summary>
    private static string Lower(string sentence) =>
        (sentence.Length > 1 && char.IsUpper(sentence[1]) ? sentence[0] : char.ToLowerInvariant(sentence[0])) + sentence[1..].TrimEnd('.');
}
