using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>What a secret looks like: by the key it stands under, by its own form, or by being part of an address.</summary>
internal static class SecretShape
{
    private static readonly string[] s_keyEndings = ["Password", "Secret", "ApiKey", "Api_Key", "Token", "PrivateKey", "ManagementKey", "ConnectionString"];

    private static readonly string[] s_credentialNames =
        ["Authorization", "Proxy-Authorization", "x-api-key", "api-key", "apikey", "x-goog-api-key", "Cookie", "key", "api_key", "access_token", "token"];

    private static readonly string[] s_valueStarts =
        ["sk-", "sk_", "pk_live", "rk_live", "ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "AKIA", "AIza", "hf_", "gsk_", "glpat-", "-----BEGIN", "Bearer ", "Basic "];

    public static bool IsSecret(SettingNode node)
    {
        if (node.Kind != SettingKind.Text || string.IsNullOrWhiteSpace(node.Value) || IsPlaceholder(node.Value))
        {
            return false;
        }

        return IsSecretKey(node.Name) || IsClusterKey(node.Path) || LooksIssued(node.Value) || HasUserInfo(node.Value);
    }

    /// <summary>Whether a transform that names this header or query parameter carries a credential.</summary>
    public static bool IsCredentialName(string? name) => name is not null && s_credentialNames.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Samples and templates write <c>&lt;your key&gt;</c>.</summary>
    public static bool IsPlaceholder(string value) => value.Contains('<', StringComparison.Ordinal) && value.TrimEnd().EndsWith('>');

    private static bool IsClusterKey(string path) => path.EndsWith(":Credentials:Value", StringComparison.OrdinalIgnoreCase);

    private static bool IsSecretKey(string name) => Array.Exists(s_keyEndings, e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    private static bool LooksIssued(string value) =>
        value.Length >= 12 && Array.Exists(s_valueStarts, s => value.StartsWith(s, StringComparison.Ordinal));

    private static bool HasUserInfo(string value) =>
        value.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.UserInfo.Length > 0;
}
