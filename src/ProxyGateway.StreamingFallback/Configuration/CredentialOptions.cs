namespace ProxyGateway.StreamingFallback.Configuration;

/// <summary>The gateway's own key for a cluster. With it, the client's own credentials are not sent there unless <c>ForwardClientCredentials</c> is true.</summary>
public sealed class CredentialOptions
{
    /// <summary>The header that carries the key. Default: Authorization.</summary>
    public string Header { get; set; } = "Authorization";

    /// <summary>The key; better from the environment or a secret file than in the configuration file. Default: none.</summary>
    public string? Value { get; set; }

    /// <summary>A file that holds the key and nothing else, in place of <c>Value</c>; relative to the configuration file (in a program of your own: to its working directory). A changed file is noticed within seconds. Default: none.</summary>
    public string? ValueFile { get; set; }

    /// <summary>The word before the key; an empty one for none. Default: Bearer where the header is Authorization, none elsewhere.</summary>
    public string? Scheme { get; set; }
}
