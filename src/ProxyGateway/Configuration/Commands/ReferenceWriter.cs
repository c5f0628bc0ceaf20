using System.Text;
using ProxyGateway.Configuration.Catalogue;

namespace ProxyGateway.Configuration.Commands;

/// <summary>The catalogue as the tables of the configuration reference.</summary>
internal static class ReferenceWriter
{
    public static string Write(OptionNode root)
    {
        var text = new StringBuilder();
        foreach (var section in root.Children.Where(c => c.Kind is OptionKind.Block or OptionKind.Map))
        {
            if (section.Kind == OptionKind.Map)
            {
                Entries(text, section, section.Name);
            }
            else
            {
                Section(text, section, section.Name);
            }
        }

        text.Append("### Sections of .NET itself\n\n| key | what |\n|---|---|\n");
        foreach (var other in root.Children.Where(c => c.Kind is not (OptionKind.Block or OptionKind.Map)))
        {
            text.Append($"| `{other.Name}` | {Cell(other.Description)} |\n");
        }

        return text.ToString();
    }

    private static void Section(StringBuilder text, OptionNode node, string path)
    {
        var own = node.Children.Where(c => c.IsScalar || (c.Kind == OptionKind.List && c.Item!.IsScalar) || (c.Kind == OptionKind.Map && c.Item!.IsScalar)).ToList();
        text.Append($"### `{path}`\n\n{node.Description}\n\n");
        if (own.Count > 0)
        {
            text.Append("| key | type | default | range | what |\n|---|---|---|---|---|\n");
            foreach (var option in own)
            {
                text.Append($"| `{option.Name}` | {TypeOf(option)} | {Cell(DefaultOf(option))} | {Cell(option.RangeText is { } r && !r.Contains('-', StringComparison.Ordinal) ? r : "")} | {Cell(What(option))} |\n");
            }

            text.Append('\n');
        }

        foreach (var child in node.Children.Except(own))
        {
            switch (child.Kind)
            {
                case OptionKind.Block:
                    Section(text, child, $"{path}:{child.Name}");
                    break;
                case OptionKind.Map:
                    Entries(text, child, $"{path}:{child.Name}");
                    break;
                case OptionKind.List:
                    Section(text, child.Item! with { Description = $"{child.Description} {child.Item!.Description}" }, $"{path}:{child.Name}:<position>");
                    break;
                default:
                    break;
            }
        }
    }

    private static void Entries(StringBuilder text, OptionNode map, string path) =>
        Section(text, map.Item! with { Description = $"{map.Description} {map.Item!.Description}" }, $"{path}:<{map.Item!.Name}>");

    private static string What(OptionNode option)
    {
        var values = option.Kind == OptionKind.Choice ? $" One of {string.Join(", ", option.Choices.Select(c => $"`{c}`"))}." : "";
        var examples = option.Suggestions.Count > 0 ? $" As {string.Join(", ", option.Suggestions.Select(c => $"`{c}`"))}." : "";
        return option.Description + values + examples;
    }

    private static string DefaultOf(OptionNode option) =>
        option.DefaultText ?? (option.Default is { } standard ? $"`{standard}`" : option.IsRequired ? "required" : "");

    private static string TypeOf(OptionNode option) => option.Kind switch
    {
        OptionKind.Flag => "switch",
        OptionKind.Count => "whole number",
        OptionKind.Share => "number",
        OptionKind.Time => "duration",
        OptionKind.Choice => "choice",
        OptionKind.Address => "address",
        OptionKind.List => "list",
        OptionKind.Map => "names to texts",
        _ => "text",
    };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
