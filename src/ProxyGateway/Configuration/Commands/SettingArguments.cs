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
}
