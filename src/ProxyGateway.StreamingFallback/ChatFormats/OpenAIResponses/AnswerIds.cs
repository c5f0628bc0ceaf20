using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>
/// The ids under which a client knows the items of an answer: those delivered first. Items refer to each other by them
/// (a tool's output to its call), so an id that was replaced is replaced wherever it stands.
/// </summary>
internal sealed class AnswerIds
{
    private readonly Dictionary<string, string> _replaced = new(StringComparer.Ordinal);
    private readonly string[] _items;

    public AnswerIds(OpenAIResponsesAnswer answer, IReadOnlyList<DeliveredItem> delivered)
    {
        _items = new string[answer.Items.Count];
        for (var i = 0; i < _items.Length; i++)
        {
            _items[i] = JsonMembers.Text(answer.Items[i].Element, "id") ?? $"item_{i}";
        }

        foreach (var item in delivered)
        {
            if ((item.Whole ?? item.Added) is not { } raw)
            {
                continue;
            }

            using var document = JsonDocument.Parse(raw);
            var of = answer.Items[item.OutputIndex].Element;
            Replace(of, document.RootElement, "call_id");
            if (Replace(of, document.RootElement, "id") is { } id)
            {
                _items[item.OutputIndex] = id;
            }
        }
    }

    public string Item(int outputIndex) => _items[outputIndex];

    /// <summary>Writes <paramref name="value"/> as the value of the member <paramref name="name"/>, with ids as the client knows them.</summary>
    public void Write(Utf8JsonWriter writer, string name, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Name, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var element in value.EnumerateArray())
                {
                    Write(writer, name, element);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String when name.EndsWith("id", StringComparison.Ordinal) && _replaced.TryGetValue(value.GetString()!, out var known):
                writer.WriteStringValue(known);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private string? Replace(JsonElement answer, JsonElement delivered, string name)
    {
        var known = JsonMembers.Text(delivered, name);
        if (known is not null && JsonMembers.Text(answer, name) is { Length: > 0 } other && other != known)
        {
            _replaced[other] = known;
        }

        return known;
    }
}
