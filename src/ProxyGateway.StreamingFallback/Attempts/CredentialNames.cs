namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// Which headers and query parameters say who the client is; an upstream gets them only if its cluster is meant to. Products
/// invent new ones every month, so it is the words in a name that tell.
/// </summary>
internal static class CredentialNames
{
    private static readonly string[] Words =
        ["authorization", "authentication", "auth", "token", "secret", "password", "cookie", "credential", "credentials", "jwt", "apikey", "dpop"];

    /// <summary>No secrets, but they name the account that pays.</summary>
    private static readonly string[] Accounts = ["openai-organization", "openai-project"];

    public static bool IsHeader(string name) => Accounts.Contains(name, StringComparer.OrdinalIgnoreCase) || HasWord(name);

    public static bool IsQueryParameter(string name) =>
        name.Equals("key", StringComparison.OrdinalIgnoreCase) || name.Equals("sig", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith("signature", StringComparison.OrdinalIgnoreCase) || HasWord(name);

    private static bool HasWord(string name)
    {
        foreach (var range in name.AsSpan().SplitAny('-', '_', '.'))
        {
            var word = name.AsSpan(range);
            foreach (var known in Words)
            {
                if (word.Equals(known, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return IsKey(name);
    }

    private static bool IsKey(string name) =>
        (name.EndsWith("-key", StringComparison.OrdinalIgnoreCase) || name.EndsWith("_key", StringComparison.OrdinalIgnoreCase))
        && !name.Equals("idempotency-key", StringComparison.OrdinalIgnoreCase) && !name.Equals("x-idempotency-key", StringComparison.OrdinalIgnoreCase);
}
