using System.Text.Json;

namespace ProxyGateway.TestKit.Contract;

/// <summary>JSON as the checker reads it.</summary>
internal static class ContractJson
{
    public static readonly JsonDocumentOptions Options = new() { MaxDepth = 512 };

    /// <summary>The object that <paramref name="bytes"/> are; null where they are no JSON object.</summary>
    public static JsonElement? Object(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonElement.Parse(bytes, Options) is { ValueKind: JsonValueKind.Object } root ? root : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static bool IsNonEmpty(JsonElement parent, string name) => JsonStrings.Get(parent, name) is { Length: > 0 };

    /// <summary>A number that is a whole one; null otherwise.</summary>
    public static long? Number(JsonElement parent, string name) =>
        JsonStrings.TryGet(parent, name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>The elements of an array member; none where it is absent.</summary>
    public static IEnumerable<JsonElement> Array(JsonElement parent, string name) =>
        JsonStrings.TryGet(parent, name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>Whether both texts are JSON of the same value; nothing at all counts as an empty object.</summary>
    public static bool IsSame(string one, string other)
    {
        if (one == other)
        {
            return true;
        }

        try
        {
            return JsonElement.DeepEquals(JsonElement.Parse(OrEmpty(one), Options), JsonElement.Parse(OrEmpty(other), Options));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string OrEmpty(string json) => string.IsNullOrWhiteSpace(json) ? "{}" : json;
}
