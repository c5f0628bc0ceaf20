using System.Globalization;
using System.Text.Json.Nodes;
using ProxyGateway.IntegrationTests.Gateway;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>A setup written as the file that an operator would write.</summary>
internal static class ConfigurationFile
{
    /// <summary>Writes it beside and moves it there: nobody sees half of it.</summary>
    public static async Task WriteAsync(string file, GatewaySetup setup)
    {
        await File.WriteAllTextAsync(file + ".new", ToJson(setup.Values).ToJsonString());
        File.Move(file + ".new", file, overwrite: true);
    }

    private static JsonObject ToJson(IReadOnlyDictionary<string, string?> values)
    {
        var root = new JsonObject();
        foreach (var (path, value) in values.Where(v => v.Value is not null).OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            Set(root, path.Split(':'), value!);
        }

        return root;
    }

    private static void Set(JsonNode node, ReadOnlySpan<string> path, string value)
    {
        JsonNode Leaf(bool isArray) => isArray ? new JsonArray() : new JsonObject();
        if (node is JsonArray array)
        {
            var index = int.Parse(path[0], CultureInfo.InvariantCulture);
            if (array.Count == index)
            {
                array.Add(path.Length == 1 ? JsonValue.Create(value) : Leaf(char.IsAsciiDigit(path[1][0])));
            }

            if (path.Length > 1)
            {
                Set(array[index]!, path[1..], value);
            }

            return;
        }

        if (path.Length == 1)
        {
            node[path[0]] = value;
            return;
        }

        node[path[0]] ??= Leaf(char.IsAsciiDigit(path[1][0]));
        Set(node[path[0]]!, path[1..], value);
    }
}
