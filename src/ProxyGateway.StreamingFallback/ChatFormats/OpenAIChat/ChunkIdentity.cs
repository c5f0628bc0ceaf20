using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>What all chunks of one answer share, as raw JSON values; null where it was not seen.</summary>
internal sealed class ChunkIdentity
{
    /// <summary>Longer values are not an identity but an attempt to make the gateway keep something.</summary>
    private const int MaxValueBytes = 1024;

    public byte[]? Id { get; set; }

    public byte[]? Created { get; set; }

    public byte[]? Model { get; set; }

    public byte[]? SystemFingerprint { get; set; }

    public byte[]? ServiceTier { get; set; }

    /// <summary>What is known now, for <see cref="BackTo"/>.</summary>
    public (byte[]? Id, byte[]? Created, byte[]? Model, byte[]? SystemFingerprint, byte[]? ServiceTier) Mark() =>
        (Id, Created, Model, SystemFingerprint, ServiceTier);

    /// <summary>A chunk that is not passed on must not name the answer either.</summary>
    public void BackTo((byte[]? Id, byte[]? Created, byte[]? Model, byte[]? SystemFingerprint, byte[]? ServiceTier) mark) =>
        (Id, Created, Model, SystemFingerprint, ServiceTier) = mark;

    /// <summary>Keeps the value of the member that <paramref name="reader"/> stands on if it is the first of its name; false where the member is none of these and was not read.</summary>
    public bool Take(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        if (reader.ValueTextEquals("id"u8))
        {
            Id = TakeValue(ref reader, json, Id);
        }
        else if (reader.ValueTextEquals("created"u8))
        {
            Created = TakeValue(ref reader, json, Created);
        }
        else if (reader.ValueTextEquals("model"u8))
        {
            Model = TakeValue(ref reader, json, Model);
        }
        else if (reader.ValueTextEquals("system_fingerprint"u8))
        {
            SystemFingerprint = TakeValue(ref reader, json, SystemFingerprint);
        }
        else if (reader.ValueTextEquals("service_tier"u8))
        {
            ServiceTier = TakeValue(ref reader, json, ServiceTier);
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>
    /// Fills what was not delivered from a whole answer, so that a made chunk lacks nothing that clients require. The
    /// optional members are the answer's only where nothing was delivered (<paramref name="isFirst"/>).
    /// </summary>
    public void Complete(JsonElement answer, bool isFirst, ChatRequest request, string idOtherwise)
    {
        if (isFirst)
        {
            SystemFingerprint = RawJson.Scalar(answer, "system_fingerprint"u8);
            ServiceTier = RawJson.Scalar(answer, "service_tier"u8);
        }

        Id ??= RawJson.Scalar(answer, "id"u8) ?? BodyEdits.Quote(idOtherwise);
        Created ??= RawJson.Scalar(answer, "created"u8) ?? "0"u8.ToArray();
        Model ??= RawJson.Scalar(answer, "model"u8) ?? BodyEdits.Quote(request.Model ?? "");
    }

    /// <summary>Writes the members that stand in every chunk.</summary>
    public void Write(Utf8JsonWriter chunk, ReadOnlySpan<byte> objectName)
    {
        WriteRaw(chunk, "id"u8, Id);
        chunk.WriteString("object"u8, objectName);
        WriteRaw(chunk, "created"u8, Created);
        WriteRaw(chunk, "model"u8, Model);
        WriteRaw(chunk, "service_tier"u8, ServiceTier);
        WriteRaw(chunk, "system_fingerprint"u8, SystemFingerprint);
    }

    private static void WriteRaw(Utf8JsonWriter chunk, ReadOnlySpan<byte> name, byte[]? value)
    {
        if (value is not null)
        {
            chunk.WritePropertyName(name);
            RawJson.Write(chunk, value);
        }
    }

    private static byte[]? TakeValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, byte[]? known)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        var isScalar = reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.Null;
        reader.Skip();
        if (known is not null || !isScalar)
        {
            return known;
        }

        var value = json[start..(int)reader.BytesConsumed];
        return value.Length <= MaxValueBytes ? value.ToArray() : null;
    }
}
