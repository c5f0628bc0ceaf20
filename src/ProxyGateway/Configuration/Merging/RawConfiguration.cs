namespace ProxyGateway.Configuration.Merging;

/// <summary>What lay on disk at one moment, unread. Two of the same fingerprint are the same configuration.</summary>
/// <param name="Text">The file's bytes; null where it could not be read.</param>
/// <param name="Failure">Why it could not be read.</param>
/// <param name="Secrets">The files of the secrets directory that name a setting.</param>
/// <param name="SecretsFailure">Why a secrets directory that was asked for could not be read.</param>
internal sealed record RawConfiguration(
    byte[]? Text,
    string? Failure,
    IReadOnlyList<SecretFile> Secrets,
    string? SecretsFailure,
    string Fingerprint);

/// <summary>One file of the secrets directory: <c>ReverseProxy__Clusters__a__…</c> and its content without the last line break.</summary>
internal sealed record SecretFile(string Path, string Key, string Value);
