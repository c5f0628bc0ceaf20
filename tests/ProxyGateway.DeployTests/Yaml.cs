using YamlDotNet.RepresentationModel;

namespace ProxyGateway.DeployTests;

/// <summary>YAML as plain maps, lists and texts; anchors and merge keys resolved.</summary>
internal static class Yaml
{
    public static IReadOnlyList<Dictionary<string, object>> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Where(d => d.RootNode is YamlMappingNode).Select(d => (Dictionary<string, object>)Plain(d.RootNode))];
    }

    public static Dictionary<string, object> Document(string text) => Assert1(Documents(text));

    /// <summary>What lies at a path of keys and list positions; null where nothing does.</summary>
    public static object? At(object? node, string path)
    {
        foreach (var part in path.Split('/'))
        {
            node = node switch
            {
                Dictionary<string, object> map => map.GetValueOrDefault(part),
                List<object> list when int.TryParse(part, out var position) && position < list.Count => list[position],
                _ => null,
            };
        }

        return node;
    }

    public static string? TextAt(object? node, string path) => At(node, path) as string;

    public static IEnumerable<Dictionary<string, object>> MapsAt(object? node, string path) =>
        At(node, path) is List<object> list ? list.OfType<Dictionary<string, object>>() : [];

    private static Dictionary<string, object> Assert1(IReadOnlyList<Dictionary<string, object>> documents) =>
        documents.Count == 1 ? documents[0] : throw new InvalidOperationException($"{documents.Count} documents where there should be one.");

    private static object Plain(YamlNode node) => node switch
    {
        YamlScalarNode scalar => scalar.Value ?? "",
        YamlSequenceNode sequence => sequence.Select(Plain).ToList(),
        YamlMappingNode mapping => Map(mapping),
        _ => throw new NotSupportedException(node.GetType().Name),
    };

    private static Dictionary<string, object> Map(YamlMappingNode mapping)
    {
        var map = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (key, value) in mapping.Children)
        {
            if (((YamlScalarNode)key).Value != "<<")
            {
                map[((YamlScalarNode)key).Value!] = Plain(value);
                continue;
            }

            foreach (var merged in value is YamlSequenceNode several ? several.Children : [value])
            {
                foreach (var (inner, content) in Map((YamlMappingNode)merged))
                {
                    map.TryAdd(inner, content);
                }
            }
        }

        return map;
    }
}
