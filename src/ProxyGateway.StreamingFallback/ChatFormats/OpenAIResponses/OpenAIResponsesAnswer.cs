using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>A whole <c>response</c>, checked once so that what is made of it needs no further doubt.</summary>
internal sealed class OpenAIResponsesAnswer : IDisposable
{
    private readonly JsonDocument _document;

    private OpenAIResponsesAnswer(JsonDocument document, List<(JsonElement, ItemKind)> items)
    {
        _document = document;
        Items = items;
    }

    public JsonElement Root => _document.RootElement;

    public IReadOnlyList<(JsonElement Element, ItemKind Kind)> Items { get; }

    /// <summary>Whether the model ended by itself; else it was cut off by a limit or a filter, and says so.</summary>
    public bool IsComplete => JsonMembers.Is(Root, "status", "completed");

    /// <summary>Reads <paramref name="json"/>; the answer is null unless the verdict is <see cref="AnswerVerdict.Usable"/>.</summary>
    public static AnswerVerdict Read(ReadOnlyMemory<byte> json, out OpenAIResponsesAnswer? answer)
    {
        answer = null;
        if (JsonText.TryParseAnswer(json) is not { } document)
        {
            return AnswerVerdict.Unusable;
        }

        var items = new List<(JsonElement, ItemKind)>();
        var verdict = ReadItems(document.RootElement, items);
        if (verdict == AnswerVerdict.Usable)
        {
            answer = new OpenAIResponsesAnswer(document, items);
        }
        else
        {
            document.Dispose();
        }

        return verdict;
    }

    public void Dispose() => _document.Dispose();

    private static AnswerVerdict ReadItems(JsonElement root, List<(JsonElement, ItemKind)> items)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return AnswerVerdict.Unusable;
        }

        if ((root.TryGetProperty("error"u8, out var error) && error.ValueKind != JsonValueKind.Null)
            || JsonMembers.Is(root, "status", "failed")
            || JsonMembers.Is(root, "object", "error"))
        {
            return AnswerVerdict.Error;
        }

        var isComplete = JsonMembers.Is(root, "status", "completed");
        if (!(isComplete || JsonMembers.Is(root, "status", "incomplete"))
            || !root.TryGetProperty("output"u8, out var output)
            || output.ValueKind != JsonValueKind.Array)
        {
            return AnswerVerdict.Unusable;
        }

        foreach (var element in output.EnumerateArray())
        {
            if (JsonMembers.Text(element, "type") is not { Length: > 0 } || !IsWhole(element, ItemText.KindOf(element)))
            {
                return AnswerVerdict.Unusable;
            }

            items.Add((element, ItemText.KindOf(element)));
        }

        // A limit may have been reached before anything was said; an answer that is complete says something.
        return isComplete && items.Count == 0 ? AnswerVerdict.Unusable : AnswerVerdict.Usable;
    }

    private static bool IsWhole(JsonElement item, ItemKind kind) => kind switch
    {
        ItemKind.FunctionCall => JsonMembers.Text(item, "name") is { Length: > 0 }
            && ItemText.InputOf(item, kind) is not null
            && !ItemText.IsBrokenCall(item),
        ItemKind.CustomToolCall => JsonMembers.Text(item, "name") is { Length: > 0 } && ItemText.InputOf(item, kind) is not null,
        ItemKind.Message => item.TryGetProperty("content"u8, out var content) && content.ValueKind == JsonValueKind.Array && HasTexts(item),
        ItemKind.Reasoning => HasTexts(item),
        _ => true,
    };

    private static bool HasTexts(JsonElement item)
    {
        foreach (var part in (JsonElement[])[.. JsonMembers.Array(item, "summary"), .. JsonMembers.Array(item, "content")])
        {
            if (JsonMembers.Text(part, "type") is not { Length: > 0 }
                || (ItemText.PartKindOf(part) is { } kind && ItemText.Of(part, kind) is null))
            {
                return false;
            }
        }

        return true;
    }
}
