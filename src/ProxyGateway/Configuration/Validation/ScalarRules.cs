using System.Globalization;
using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>One value against its option: kind, form and range.</summary>
internal static class ScalarRules
{
    public static void Check(SettingNode node, OptionNode option, DiagnosticBag diagnostics)
    {
        if (!node.IsScalar)
        {
            diagnostics.Error(node, $"expects {Expected(option)}, not a {(node.Kind == SettingKind.Array ? "list" : "block")}", Remedy(option));
            return;
        }

        switch (option.Kind)
        {
            case OptionKind.Flag when !bool.TryParse(node.Value, out _):
                diagnostics.Error(node, "expects true or false", "use true or false");
                break;
            case OptionKind.Count:
                CheckNumber(node, option, whole: true, diagnostics);
                break;
            case OptionKind.Share:
                CheckNumber(node, option, whole: false, diagnostics);
                break;
            case OptionKind.Time:
                CheckTime(node, option, diagnostics);
                break;
            case OptionKind.Choice when !option.Choices.Contains(node.Value!, StringComparer.OrdinalIgnoreCase):
                diagnostics.Error(node, "not one of the allowed values", ChoiceRemedy(node.Value!, option));
                break;
            case OptionKind.Address:
                CheckAddress(node, diagnostics);
                break;
            default:
                break;
        }
    }

    private static void CheckNumber(SettingNode node, OptionNode option, bool whole, DiagnosticBag diagnostics)
    {
        double number = 0;
        var isNumber = whole
            ? long.TryParse(node.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) && (number = integer) == integer
            : double.TryParse(node.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
        if (!isNumber)
        {
            diagnostics.Error(node, whole ? "expects a whole number" : "expects a number", Remedy(option));
        }
        else if (number < option.Minimum || (option.MinimumIsExclusive && number <= option.Minimum))
        {
            diagnostics.Error(node, "is too small", Remedy(option));
        }
        else if (number > option.Maximum)
        {
            diagnostics.Error(node, "is too large", Remedy(option));
        }
    }

    private static void CheckTime(SettingNode node, OptionNode option, DiagnosticBag diagnostics)
    {
        if (!DurationText.TryParse(node.Value, out var time))
        {
            diagnostics.Error(node, "not a duration", $"write \"hh:mm:ss\"{Meant(node.Value!)}");
        }
        else if (time < option.Shortest)
        {
            diagnostics.Error(node, "is too short", Remedy(option));
        }
        else if (time > option.Longest)
        {
            diagnostics.Error(node, "is too long", Remedy(option));
        }
    }

    /// <summary>What "30", "30s", "500ms" and "5m" would be as a duration.</summary>
    private static string Meant(string value)
    {
        var digits = value.TrimEnd("smhd ".ToCharArray());
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) || amount > 1e6)
        {
            return ", as \"00:00:30\" for 30 seconds";
        }

        TimeSpan? time = value[digits.Length..].Trim() switch
        {
            "" or "s" => TimeSpan.FromSeconds(amount),
            "ms" => TimeSpan.FromMilliseconds(amount),
            "m" => TimeSpan.FromMinutes(amount),
            "h" => TimeSpan.FromHours(amount),
            "d" => TimeSpan.FromDays(amount),
            _ => null,
        };
        return time is { } known ? $"; {value.Trim()} would be \"{DurationText.Format(known)}\"" : ", as \"00:00:30\" for 30 seconds";
    }

    private static void CheckAddress(SettingNode node, DiagnosticBag diagnostics)
    {
        const string remedy = "write an absolute address, as \"http://127.0.0.1:3456\" or \"https://host/base\"";
        if (!Uri.TryCreate(node.Value, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            diagnostics.Error(node, "not an address", remedy);
        }
        else if (uri.Scheme is not ("http" or "https"))
        {
            diagnostics.Error(node, "the address is neither http nor https", remedy);
        }
        else if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            diagnostics.Error(node, "the address has a query or a fragment, which would be lost", "leave it out; a QueryValueParameter transform adds a query");
        }
    }

    private static string ChoiceRemedy(string value, OptionNode option) =>
        NearMiss.Find(value, option.Choices) is { } meant
            ? $"did you mean {meant}? The allowed values are {string.Join(", ", option.Choices)}"
            : Remedy(option);

    private static string Remedy(OptionNode option) => option.Kind switch
    {
        OptionKind.Choice => $"use one of {string.Join(", ", option.Choices)}",
        OptionKind.Flag => "use true or false",
        OptionKind.Count when option.RangeText is { } range => $"use a whole number from {range}",
        OptionKind.Time when option.RangeText is { } range => $"use {range}",
        OptionKind.Share when option.RangeText is { } range => $"use a number from {range}",
        _ => $"write {Expected(option)}",
    };

    private static string Expected(OptionNode option) => option.Kind switch
    {
        OptionKind.Flag => "true or false",
        OptionKind.Count => "a whole number",
        OptionKind.Share => "a number",
        OptionKind.Time => "a duration",
        OptionKind.Choice => "one of a list of values",
        OptionKind.Address => "an address",
        _ => "a text",
    };
}
