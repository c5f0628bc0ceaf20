namespace ProxyGateway.Configuration.Commands;

/// <summary>Settings on the command line: <c>--ReverseProxy:Clusters:a:…=value</c>.</summary>
internal static class SettingArguments
{
    /// <summary>What is wrong with the arguments that are no option of a verb, or null where each is a setting.</summary>
    public static string? Judge(IReadOnlyList<string> arguments)
    {
        foreach (var argument in arguments)
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var isSetting = argument.StartsWith("--", StringComparison.Ordinal) && equals > 0 && argument.AsSpan(2, equals - 2).Contains(':');
            if (!isSetting)
            {
                // The value may be a secret that was put in the wrong place.
                var shown = equals > 0 ? argument[..equals] : argument;
                return $"Unknown argument {shown}. A setting is written --Section:Key=value; --help lists the verbs and options.";
            }
        }

        return null;
    }

    /// <summary>What is wrong with the arguments of a verb that takes no settings, or null where there are none.</summary>
    public static string? Refuse(string verb, IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
        {
            return null;
        }

        var equals = arguments[0].IndexOf('=', StringComparison.Ordinal);
        var shown = equals > 0 ? arguments[0][..equals] : arguments[0];
        return $"Unknown argument {shown}. {verb} takes no settings; {verb} --help lists what it takes.";
    }
}
