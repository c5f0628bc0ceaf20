using System.Globalization;
using System.Text.Json.Nodes;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Management.Settings;

/// <summary>
/// The configuration as it may be shown: the sections this process reads, without what is or may be a secret. In doubt a value is
/// hidden: a name in the way of a secret hides it, and so does a value that looks like one.
/// </summary>
internal static class RedactedConfiguration
{
    public const string Hidden = "(hidden)";

    private static readonly string[] Sections = ["Gateway", "StreamingFallback", "ReverseProxy", "Clients", "Logging"];
    private static readonly string[] SecretNames = ["password", "secret", "token", "authorization", "credential", "cookie", "apikey", "api-key", "api_key", "passphrase", "connectionstring"];
    private static readonly string[] SecretStarts = ["sk-", "pk-", "rk-", "Bearer ", "Basic ", "AIza", "ghp_", "gho_", "github_pat_", "xox", "eyJ", "AKIA", "-----BEGIN"];

    // What a header is set to, or matched with, is as often a key as not.
    private static readonly string[] HeaderValues = ["Set", "Append", "Value", "Values"];

    public static JsonObject Of(IConfiguration configuration)
    {
        var root = new JsonObject();
        foreach (var name in Sections)
        {
            var section = configuration.GetSection(name);
            if (section.Exists())
            {
                root[section.Key] = Node(configuration, section, hidden: false);
            }
        }

        return root;
    }

    private static JsonNode? Node(IConfiguration root, IConfigurationSection section, bool hidden)
    {
        var children = section.GetChildren().ToList();
        if (children.Count == 0)
        {
            return Leaf(section, hidden);
        }

        if (section.Key.Equals("Models", StringComparison.OrdinalIgnoreCase))
        {
            return Models(root, section, hidden);
        }

        if (children.TrueForAll(c => int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            return new JsonArray([.. children.Select(c => Node(root, c, hidden || Hides(c)))]);
        }

        var node = new JsonObject();
        foreach (var child in children)
        {
            node[child.Key] = Node(root, child, hidden || Hides(child));
        }

        return node;
    }

    /// <summary>In the order in which the patterns are tried, and with names that hold colons in one piece.</summary>
    private static JsonObject Models(IConfiguration root, IConfigurationSection section, bool hidden)
    {
        var models = new JsonObject();
        foreach (var (pattern, cluster) in FileOrder.Values(root, section))
        {
            models[pattern] = hidden || LooksSecret(cluster) ? Hidden : cluster;
        }

        return models;
    }

    private static JsonNode? Leaf(IConfigurationSection section, bool hidden)
    {
        var value = section.Value;
        if (string.IsNullOrEmpty(value))
        {
            return value;
        }

        if (hidden || LooksSecret(value))
        {
            return Hidden;
        }

        return bool.TryParse(value, out var flag) ? flag
            : long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : SafeAddress.Of(value);
    }

    private static bool Hides(IConfigurationSection section)
    {
        var name = section.Key;
        if (name.EndsWith("Path", StringComparison.OrdinalIgnoreCase) || name.EndsWith("File", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith("Directory", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Max", StringComparison.OrdinalIgnoreCase)
            || name.Equals("ForwardClientCredentials", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        // The block of credentials names a header and a place; its leaves decide for themselves.
        if (name.Equals("Credentials", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return name.EndsWith("Key", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith("KeyHash", StringComparison.OrdinalIgnoreCase)
            || SecretNames.Any(s => name.Contains(s, StringComparison.OrdinalIgnoreCase))
            || (HeaderValues.Contains(name, StringComparer.OrdinalIgnoreCase) && IsAboutHeaders(section.Path));
    }

    private static bool IsAboutHeaders(string path) =>
        path.Contains(":Transforms:", StringComparison.OrdinalIgnoreCase)
        || path.Contains(":Credentials:", StringComparison.OrdinalIgnoreCase)
        || path.Contains(":Match:Headers:", StringComparison.OrdinalIgnoreCase)
        || path.Contains(":Match:QueryParameters:", StringComparison.OrdinalIgnoreCase);

    private static bool LooksSecret(string value) =>
        SecretStarts.Any(s => value.StartsWith(s, StringComparison.Ordinal)) || (value.Length >= 32 && IsDense(value));

    /// <summary>Letters and digits in one long run: an id or a key, and nobody misses an id.</summary>
    private static bool IsDense(string value) =>
        value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '+' or '/' or '=' or '.')
        && value.Any(char.IsAsciiDigit) && value.Any(char.IsAsciiLetter) && !value.Contains('/', StringComparison.Ordinal);
}

/// <summary>An address as it may be shown: without user, password, query and fragment, where keys hide.</summary>
internal static class SafeAddress
{
    public static string Of(string value)
    {
        if (!value.Contains("://", StringComparison.Ordinal) || !Uri.TryCreate(value, UriKind.Absolute, out var uri))
        {
            return value;
        }

        if (uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0)
        {
            return value;
        }

        var shown = uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        return $"{shown} {RedactedConfiguration.Hidden}";
    }
}
