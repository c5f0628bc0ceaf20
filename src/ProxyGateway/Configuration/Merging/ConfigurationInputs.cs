using System.Collections;

namespace ProxyGateway.Configuration.Merging;

/// <summary>
/// Where a configuration comes from, from the least to the most say: the file, the directory of secrets, the environment,
/// the command line. Environment and command line cannot change while the process runs; the other two are read anew.
/// </summary>
internal sealed record ConfigurationInputs
{
    /// <summary>Names a directory of secrets and has more say than <c>Gateway:SecretsDirectory</c>.</summary>
    public const string SecretsDirectoryVariable = "PROXYGATEWAY_SECRETS_DIR";

    /// <summary>Where container platforms put secrets.</summary>
    public const string UsualSecretsDirectory = "/run/secrets";

    /// <summary>The configuration file as it was named; findings show it so.</summary>
    public required string File { get; init; }

    /// <summary>Environment variables by name; levels are joined by two underscores.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Arguments in .NET's form: <c>--ReverseProxy:Clusters:a:…=value</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    public static IReadOnlyDictionary<string, string> ProcessEnvironment()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry each in System.Environment.GetEnvironmentVariables())
        {
            variables[(string)each.Key] = (string?)each.Value ?? "";
        }

        return variables;
    }
}
