using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>Secrets that stand in the file itself, where version control, backups and screens see them.</summary>
internal static class SecretRules
{
    public static void Check(SettingNode node, DiagnosticBag diagnostics)
    {
        var carriesCredential = SecretShape.IsCredentialName((node["RequestHeader"] ?? node["QueryValueParameter"])?.Value);
        foreach (var child in node.Children)
        {
            var isTransformValue = child.Name.Equals("Set", StringComparison.OrdinalIgnoreCase) || child.Name.Equals("Append", StringComparison.OrdinalIgnoreCase);
            var isCredential = carriesCredential && isTransformValue
                && child is { Kind: SettingKind.Text, Value.Length: > 0 } && !SecretShape.IsPlaceholder(child.Value);
            if (child.Origin.IsInFile && !diagnostics.HasErrorUnder(child.Path) && (isCredential || (SecretShape.IsSecret(child) && !IsAddressAlone(child))))
            {
                diagnostics.Warning(
                    child,
                    "a secret stands in the file",
                    $"put it into a file named {child.Path.Replace(":", "__", StringComparison.Ordinal)} in the secrets directory, or into the environment variable of that name");
            }

            Check(child, diagnostics);
        }
    }

    /// <summary>A connection string is a secret for its password's sake.</summary>
    private static bool IsAddressAlone(SettingNode node) =>
        node.Name.Equals("ConnectionString", StringComparison.OrdinalIgnoreCase) && !node.Value!.Contains("password", StringComparison.OrdinalIgnoreCase);
}
