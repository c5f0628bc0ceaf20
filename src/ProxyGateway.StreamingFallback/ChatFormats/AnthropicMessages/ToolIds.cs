using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>
/// Which delivered call stands for which call of the replay. Results of server tools name the call they belong to, so a
/// result of the replay must name the call that the client has.
/// </summary>
internal sealed class ToolIds
{
    private readonly Dictionary<string, string> _delivered = new(StringComparer.Ordinal);

    public void Add(string replayed, string delivered) => _delivered[replayed] = delivered;

    /// <summary>Writes <paramref name="value"/> with the ids that the client knows.</summary>
    public void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when _delivered.Count > 0:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    WriteMember(writer, member);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array when _delivered.Count > 0:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    /// <summary>Writes the value of <paramref name="member"/>.</summary>
    public void WriteMember(Utf8JsonWriter writer, JsonProperty member)
    {
        // `caller` of a call that code made names that code's call as `tool_id`.
        if ((member.NameEquals("tool_use_id"u8) || member.NameEquals("tool_id"u8))
            && member.Value.ValueKind == JsonValueKind.String
            && _delivered.TryGetValue(member.Value.GetString()!, out var id))
        {
            writer.WriteStringValue(id);
        }
        else
        {
            Write(writer, member.Value);
        }
    }
}
