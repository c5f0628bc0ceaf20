using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Writes a <c>response</c> object that has no output: one that is under way or that failed.</summary>
internal static class ResponseObject
{
    /// <param name="writer">Stands where the value goes.</param>
    /// <param name="source">Where the other members come from; null where nothing is known of them.</param>
    /// <param name="identity">Whose response it is.</param>
    /// <param name="status">Its status.</param>
    /// <param name="error">Why it failed; null where it did not.</param>
    public static void Write(Utf8JsonWriter writer, JsonElement? source, ResponseIdentity identity, ReadOnlySpan<byte> status, (string Code, string Message)? error)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, identity.Id);
        writer.WriteString("object"u8, "response"u8);
        identity.WriteCreatedAt(writer);
        writer.WriteString("status"u8, status);
        writer.WritePropertyName("error"u8);
        WriteError(writer, error);
        writer.WriteNull("incomplete_details"u8);
        identity.WriteModel(writer);
        writer.WriteStartArray("output"u8);
        writer.WriteEndArray();
        if (source is { } members)
        {
            foreach (var member in members.EnumerateObject())
            {
                switch (member.Name)
                {
                    case "id" or "object" or "created_at" or "status" or "error" or "incomplete_details" or "model" or "output":
                        break;
                    case "usage" or "completed_at":
                        writer.WriteNull(member.Name);
                        break;
                    default:
                        member.WriteTo(writer);
                        break;
                }
            }
        }

        writer.WriteEndObject();
    }

    private static void WriteError(Utf8JsonWriter writer, (string Code, string Message)? error)
    {
        if (error is not { } failure)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("code"u8, failure.Code);
        writer.WriteString("message"u8, failure.Message);
        writer.WriteEndObject();
    }
}
