using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.Configuration.Validation;

namespace ProxyGateway.Configuration.Merging;

/// <summary>Lays secrets, environment and arguments over the file's tree. Only keys under a section that is ours are taken.</summary>
internal static class SettingsMerger
{
    /// <summary>Switches recovery off without touching the file; the first that is set counts.</summary>
    private static readonly string[] s_switches = ["AGENT_FALLBACK_ENABLED", "FALLBACK_ENABLED"];

    public static void Merge(SettingNode root, ConfigurationInputs inputs, IReadOnlyList<SecretFile> secrets, DiagnosticBag diagnostics)
    {
        foreach (var secret in secrets)
        {
            Lay(root, secret.Key, secret.Value, new SettingOrigin(secret.Path, IsSecret: true));
        }

        foreach (var (name, value) in inputs.Environment.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            if (name.Contains("__", StringComparison.Ordinal))
            {
                Lay(root, name.Replace("__", ":", StringComparison.Ordinal), value, new SettingOrigin($"environment {name}"));
            }
        }

        foreach (var (key, value) in Arguments(inputs.Arguments))
        {
            Lay(root, key, value, new SettingOrigin($"argument --{key}"));
        }

        LaySwitch(root, inputs.Environment, diagnostics);
    }

    private static List<KeyValuePair<string, string>> Arguments(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
        {
            return [];
        }

        using var root = (ConfigurationRoot)new ConfigurationBuilder().AddCommandLine([.. arguments]).Build();
        return [.. root.AsEnumerable().Where(e => e.Value is not null).Select(e => KeyValuePair.Create(e.Key, e.Value!)).OrderBy(e => e.Key, StringComparer.Ordinal)];
    }

    private static void LaySwitch(SettingNode root, IReadOnlyDictionary<string, string> environment, DiagnosticBag diagnostics)
    {
        foreach (var name in s_switches)
        {
            if (!environment.TryGetValue(name, out var text) || text.Length == 0)
            {
                continue;
            }

            var origin = new SettingOrigin($"environment {name}");
            bool? on = text.Trim().ToLowerInvariant() switch
            {
                "true" or "1" or "on" or "yes" => true,
                "false" or "0" or "off" or "no" => false,
                _ => null,
            };
            if (on is { } known)
            {
                Lay(root, "StreamingFallback:Enabled", known ? "true" : "false", origin);
            }
            else
            {
                diagnostics.Error(origin, name, "not a switch", $"\"{text}\"", "use true, false, 1 or 0");
            }

            return;
        }
    }

    private static void Lay(SettingNode root, string key, string value, SettingOrigin origin)
    {
        var names = key.Split(':');
        if (names.Length < 2 || OptionCatalogue.Root.Child(names[0]) is not { } option)
        {
            return;
        }

        var node = root;
        OptionNode? within = OptionCatalogue.Root;
        for (var i = 0; i < names.Length; i++)
        {
            // Names of models hold colons themselves ("llama3:8b"), and nothing lies below them.
            var isLast = i == names.Length - 1 || within is { Kind: OptionKind.Map, Item.IsScalar: true };
            var name = isLast ? string.Join(':', names[i..]) : names[i];
            var isFreeName = within is { Kind: OptionKind.Map or OptionKind.List };
            within = within?.Child(name);
            var child = node[name];
            if (isLast)
            {
                if (child is null)
                {
                    Attach(node, new SettingNode(name, SettingNode.Join(node.Path, name), SettingKind.Text, value, origin, origin));
                }
                else
                {
                    child.Replace(value, origin);
                }

                return;
            }

            if (child is null)
            {
                // The catalogue's spelling, so that the path reads the same whoever wrote it first.
                var spelling = isFreeName || within is null ? name : within.Name;
                child = new SettingNode(spelling, SettingNode.Join(node.Path, spelling), SettingKind.Object, null, origin, origin);
                Attach(node, child);
            }

            node = child;
        }
    }

    private static void Attach(SettingNode parent, SettingNode child)
    {
        parent.BecomeObject();
        parent.Add(child);
    }
}
