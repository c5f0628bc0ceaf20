using System.Text;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>What all events of one answer share. Kept from the first event that has a <c>response</c>.</summary>
/// <param name="Id">The response's id.</param>
/// <param name="CreatedAt">Raw JSON; null where the upstream gave none.</param>
/// <param name="Model">Raw JSON; null where the upstream gave none.</param>
/// <param name="Snapshot">The whole raw <c>response</c> object; null where it is too large to keep, or cannot be written again.</param>
internal sealed record ResponseIdentity(string Id, byte[]? CreatedAt, byte[]? Model, byte[]? Snapshot)
{
    /// <summary>Longer values are not an identity but an attempt to make the gateway keep something.</summary>
    private const int MaxValueBytes = 1024;

    /// <summary>For a response of which nothing was delivered.</summary>
    public static readonly ResponseIdentity Unknown = new("resp_gateway", null, null, null);

    /// <summary>Reads it from a <c>response</c> object; null where that has no id.</summary>
    public static ResponseIdentity? Read(JsonElement response, byte[]? snapshot) =>
        JsonMembers.Text(response, "id") is { Length: <= MaxValueBytes } id
            ? new ResponseIdentity(id, Raw(response, "created_at"), Raw(response, "model"), snapshot)
            : null;

    public JsonDocument? ParseSnapshot() => Snapshot is null ? null : JsonDocument.Parse(Snapshot);

    public void WriteCreatedAt(Utf8JsonWriter writer) => Write(writer, "created_at"u8, CreatedAt ?? "0"u8.ToArray());

    public void WriteModel(Utf8JsonWriter writer) => Write(writer, "model"u8, Model ?? "\"\""u8.ToArray());

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, byte[] value)
    {
        writer.WritePropertyName(name);
        using var document = JsonDocument.Parse(value);
        document.RootElement.WriteTo(writer);
    }

    private static byte[]? Raw(JsonElement response, string name) =>
        response.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
        && RawJson.CanBeWritten(value)
        && value.GetRawText() is { Length: <= MaxValueBytes } raw
            ? Encoding.UTF8.GetBytes(raw)
            : null;
}
