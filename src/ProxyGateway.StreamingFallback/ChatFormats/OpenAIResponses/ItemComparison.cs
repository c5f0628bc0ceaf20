using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Whether what was delivered of an item is that item's beginning. Compares decoded text, ordinally.</summary>
internal static class ItemComparison
{
    /// <summary>Members that are another's from answer to answer and say nothing of what it says.</summary>
    private static readonly string[] Names = ["id", "call_id", "status"];

    /// <summary>Whether <paramref name="whole"/> goes on from <paramref name="item"/>; says nothing but the same where <paramref name="mustBeWhole"/>.</summary>
    public static bool Continues(DeliveredItem item, JsonElement whole, bool mustBeWhole)
    {
        if (item.Done)
        {
            using var delivered = JsonDocument.Parse(item.Whole!);
            return IsSame(delivered.RootElement, whole);
        }

        if (ItemText.KindOf(whole) != item.Kind || item.Kind == ItemKind.Other || item.Unjoinable)
        {
            return false;
        }

        return item.Kind is ItemKind.FunctionCall or ItemKind.CustomToolCall
            ? ContinuesCall(item, whole, mustBeWhole)
            : ContinuesParts(item, whole, mustBeWhole);
    }

    /// <summary>Whether the texts of an item's end are those that its events delivered.</summary>
    public static bool IsTextOf(DeliveredItem item, JsonElement whole)
    {
        if (item.Input.Length > 0 && !(ItemText.InputOf(whole, item.Kind) is { } input && input.AsSpan().SequenceEqual(item.Input.Span)))
        {
            return false;
        }

        foreach (var part in item.Parts)
        {
            if (part.Text.Length > 0 && !(PartOf(whole, part) is { } p && ItemText.Of(p, part.Kind) is { } text && text.AsSpan().SequenceEqual(part.Text.Span)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool ContinuesCall(DeliveredItem item, JsonElement whole, bool mustBeWhole)
    {
        if (item.Added is null || ItemText.InputOf(whole, item.Kind) is not { } input)
        {
            return false;
        }

        using var added = JsonDocument.Parse(item.Added);
        return SameText(added.RootElement, whole, "name")
            && SameText(added.RootElement, whole, "namespace")
            && input.AsSpan().StartsWith(item.Input.Span)
            && (input.Length == item.Input.Length || !(mustBeWhole || item.InputDone));
    }

    private static bool ContinuesParts(DeliveredItem item, JsonElement whole, bool mustBeWhole)
    {
        for (var i = 0; i < item.Parts.Count; i++)
        {
            var part = item.Parts[i];
            // What stands later in an answer closes what stands before it.
            var partMustBeWhole = mustBeWhole || part.TextDone || i < item.Parts.Count - 1;
            if (PartOf(whole, part) is not { } p
                || ItemText.Of(p, part.Kind) is not { } text
                || !text.AsSpan().StartsWith(part.Text.Span)
                || (partMustBeWhole && text.Length != part.Text.Length)
                || !ContinuesAnnotations(part, JsonMembers.Array(p, "annotations"), partMustBeWhole))
            {
                return false;
            }
        }

        // A part that another follows must itself have been delivered, or it could only be added in the wrong place.
        return HasNoGap(item, PartKind.SummaryText) && HasNoGap(item, PartKind.OutputText)
            && (!mustBeWhole || CountOf(item, summary: true) == ItemText.PartsOf(whole, PartKind.SummaryText).Length
                && CountOf(item, summary: false) == ItemText.PartsOf(whole, PartKind.OutputText).Length);
    }

    private static bool ContinuesAnnotations(DeliveredPart part, JsonElement[] annotations, bool mustBeWhole)
    {
        if (part.Annotations.Count > annotations.Length || (mustBeWhole && part.Annotations.Count != annotations.Length))
        {
            return false;
        }

        for (var i = 0; i < part.Annotations.Count; i++)
        {
            using var delivered = JsonDocument.Parse(part.Annotations[i]);
            if (!JsonElement.DeepEquals(delivered.RootElement, annotations[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool HasNoGap(DeliveredItem item, PartKind kind)
    {
        var summary = kind == PartKind.SummaryText;
        var count = CountOf(item, summary);
        return item.Parts.TrueForAll(p => (p.Kind == PartKind.SummaryText) != summary || p.Index < count);
    }

    private static int CountOf(DeliveredItem item, bool summary) => item.Parts.Count(p => (p.Kind == PartKind.SummaryText) == summary);

    private static JsonElement? PartOf(JsonElement whole, DeliveredPart part)
    {
        var parts = ItemText.PartsOf(whole, part.Kind);
        return part.Index < parts.Length && ItemText.PartKindOf(parts[part.Index]) == part.Kind ? parts[part.Index] : null;
    }

    /// <summary>Whether two whole items say the same.</summary>
    private static bool IsSame(JsonElement a, JsonElement b)
    {
        var kind = ItemText.KindOf(a);
        if (kind != ItemText.KindOf(b))
        {
            return false;
        }

        return kind switch
        {
            ItemKind.Message => SameParts(a, b, "content"),
            ItemKind.Reasoning => SameParts(a, b, "summary") && SameParts(a, b, "content"),
            ItemKind.FunctionCall or ItemKind.CustomToolCall => SameText(a, b, "name")
                && SameText(a, b, "namespace")
                && ItemText.InputOf(a, kind).AsSpan().SequenceEqual(ItemText.InputOf(b, kind)),
            _ => SameMembers(a, b),
        };
    }

    private static bool SameParts(JsonElement a, JsonElement b, string array)
    {
        var (first, second) = (JsonMembers.Array(a, array), JsonMembers.Array(b, array));
        if (first.Length != second.Length)
        {
            return false;
        }

        for (var i = 0; i < first.Length; i++)
        {
            if (ItemText.PartKindOf(first[i]) is not { } kind)
            {
                if (!JsonElement.DeepEquals(first[i], second[i]))
                {
                    return false;
                }

                continue;
            }

            if (ItemText.PartKindOf(second[i]) != kind
                || !ItemText.Of(first[i], kind).AsSpan().SequenceEqual(ItemText.Of(second[i], kind))
                || !SameAnnotations(JsonMembers.Array(first[i], "annotations"), JsonMembers.Array(second[i], "annotations")))
            {
                return false;
            }
        }

        return true;
    }

    private static bool SameAnnotations(JsonElement[] a, JsonElement[] b) =>
        a.Length == b.Length && a.Zip(b).All(pair => JsonElement.DeepEquals(pair.First, pair.Second));

    private static bool SameMembers(JsonElement a, JsonElement b)
    {
        var first = a.EnumerateObject().Where(m => !Names.Contains(m.Name)).ToList();
        return first.Count == b.EnumerateObject().Count(m => !Names.Contains(m.Name))
            && first.TrueForAll(m => b.TryGetProperty(m.Name, out var other) && JsonElement.DeepEquals(m.Value, other));
    }

    private static bool SameText(JsonElement a, JsonElement b, string name) => JsonMembers.Text(a, name) == JsonMembers.Text(b, name);
}
