using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Writes an answer's output items, as they begin and as they end.</summary>
internal static class ItemWriter
{
    public static void WriteWhole(Utf8JsonWriter writer, JsonElement item, ItemKind kind, int index, AnswerIds ids)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, ids.Item(index));
        foreach (var member in item.EnumerateObject())
        {
            if (member.Name != "id")
            {
                writer.WritePropertyName(member.Name);
                ids.Write(writer, member.Name, member.Value);
            }
        }

        WriteMissingCallId(writer, item, kind, index);
        writer.WriteEndObject();
    }

    /// <summary>The item before any of its text.</summary>
    public static void WriteBegun(Utf8JsonWriter writer, JsonElement item, ItemKind kind, int index, AnswerIds ids)
    {
        var isStreamed = kind != ItemKind.Other || ServerToolEvents.Knows(item);
        writer.WriteStartObject();
        writer.WriteString("id"u8, ids.Item(index));
        foreach (var member in item.EnumerateObject())
        {
            switch (member.Name)
            {
                case "id":
                    break;
                case "status" when isStreamed:
                    writer.WriteString("status"u8, "in_progress"u8);
                    break;
                case "arguments" or "input" or "code" when isStreamed && member.Value.ValueKind == JsonValueKind.String:
                    writer.WriteString(member.Name, ""u8);
                    break;
                case "content" or "summary" when isStreamed && member.Value.ValueKind == JsonValueKind.Array:
                    writer.WriteStartArray(member.Name);
                    writer.WriteEndArray();
                    break;
                case "results" or "outputs" or "result" or "output" when isStreamed:
                    writer.WriteNull(member.Name);
                    break;
                case "encrypted_content" when isStreamed:
                    // Covers the whole item, so it comes with its end.
                    break;
                default:
                    writer.WritePropertyName(member.Name);
                    ids.Write(writer, member.Name, member.Value);
                    break;
            }
        }

        WriteMissingCallId(writer, item, kind, index);
        writer.WriteEndObject();
    }

    /// <summary>Some servers name their calls by <c>id</c> alone; clients answer a call by its <c>call_id</c>.</summary>
    private static void WriteMissingCallId(Utf8JsonWriter writer, JsonElement item, ItemKind kind, int index)
    {
        if (kind is ItemKind.FunctionCall or ItemKind.CustomToolCall && !item.TryGetProperty("call_id"u8, out _))
        {
            writer.WriteString("call_id"u8, JsonMembers.Text(item, "id") ?? $"call_{index}");
        }
    }
}
