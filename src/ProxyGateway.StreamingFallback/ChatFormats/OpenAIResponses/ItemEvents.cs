using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>Takes the events that open and close items and parts into a ledger. These are few, so they may allocate.</summary>
internal readonly struct ItemEvents(ResponseLedger ledger)
{
    public EventMeaning Take(in ResponseEvent e) => e.Kind switch
    {
        ResponseEventKind.ItemAdded => ItemAdded(e),
        ResponseEventKind.ItemDone => ItemDone(e),
        ResponseEventKind.ContentPartAdded or ResponseEventKind.SummaryPartAdded => PartAdded(e),
        ResponseEventKind.ContentPartDone or ResponseEventKind.SummaryPartDone => PartDone(e),
        ResponseEventKind.AnnotationAdded => AnnotationAdded(e),
        ResponseEventKind.OutputTextDone => TextDone(e, PartKind.OutputText),
        ResponseEventKind.RefusalDone => TextDone(e, PartKind.Refusal),
        ResponseEventKind.ReasoningTextDone => TextDone(e, PartKind.ReasoningText),
        ResponseEventKind.SummaryTextDone => TextDone(e, PartKind.SummaryText),
        ResponseEventKind.ArgumentsDone or ResponseEventKind.InputDone => InputDone(e),
        _ => OtherDone(e),
    };

    private EventMeaning ItemAdded(in ResponseEvent e)
    {
        using var document = Parse(e, e.Item);
        var element = document.RootElement;
        Begin(e);
        var kind = ItemText.KindOf(element);
        if (e.OutputIndex < 0 || ledger.Find(e.OutputIndex) is not null)
        {
            ledger.Incomparable = true;
            return Content(true);
        }

        var item = new DeliveredItem(e.OutputIndex, kind, ItemText.IsToolCall(element), ledger.Keep(e.Bytes(e.Item)));
        ledger.Items.Add(item);
        switch (kind)
        {
            case ItemKind.FunctionCall or ItemKind.CustomToolCall:
                var input = ItemText.InputOf(element, kind) ?? [];
                ledger.Append(input, item.Input);
                return Content(input.Length > 0);
            case ItemKind.Message or ItemKind.Reasoning:
                item.Unjoinable = JsonMembers.Array(element, "content").Length + JsonMembers.Array(element, "summary").Length > 0;
                return Content(ItemText.SaysAnything(element));
            default:
                return Content(true);
        }
    }

    private EventMeaning ItemDone(in ResponseEvent e)
    {
        using var document = Parse(e, e.Item);
        var element = document.RootElement;
        if (ItemText.IsBrokenCall(element)
            || (ItemText.KindOf(element) == ItemKind.FunctionCall && ItemText.InputOf(element, ItemKind.FunctionCall) is { } arguments && !IsInputOf(ledger.Find(e.OutputIndex), arguments)))
        {
            return EventMeaning.BrokenToolCall;
        }

        Wait(e);
        var item = ledger.Find(e.OutputIndex);
        if (e.OutputIndex < 0 || item is { Done: true })
        {
            ledger.Incomparable = true;
            return Content(true) | EventMeaning.Hold;
        }

        if (item is null)
        {
            item = new DeliveredItem(e.OutputIndex, ItemText.KindOf(element), ItemText.IsToolCall(element), null);
            ledger.Items.Add(item);
        }
        else if (!ledger.Overflow && !ItemComparison.IsTextOf(item, element))
        {
            ledger.Incomparable = true;
        }

        item.Finish(ledger.Keep(e.Bytes(e.Item)));
        return Content(item.Kind is not (ItemKind.Message or ItemKind.Reasoning) || ItemText.SaysAnything(element)) | EventMeaning.Hold;
    }

    private EventMeaning PartAdded(in ResponseEvent e)
    {
        using var document = Parse(e, e.Part);
        Begin(e);
        if (ledger.Find(e.OutputIndex) is not { Done: false } item)
        {
            ledger.Incomparable = true;
            return EventMeaning.Lifecycle;
        }

        var part = document.RootElement;
        if (e.PartIndex < 0 || ItemText.PartKindOf(part) is not { } kind || !ItemText.Fits(kind, item.Kind) || item.Find(kind, e.PartIndex) is not null)
        {
            item.Unjoinable = true;
            return EventMeaning.Lifecycle;
        }

        var text = ItemText.Of(part, kind) ?? [];
        ledger.Append(text, item.Begin(kind, e.PartIndex, announced: true).Text);
        item.Unjoinable |= JsonMembers.Array(part, "annotations").Length > 0;
        return Content(text.Length > 0);
    }

    private EventMeaning PartDone(in ResponseEvent e)
    {
        using var document = Parse(e, e.Part);
        Wait(e);
        if (ledger.Find(e.OutputIndex) is not { Done: false } item)
        {
            ledger.Incomparable = true;
            return EventMeaning.Hold;
        }

        var whole = document.RootElement;
        if (ItemText.PartKindOf(whole) is not { } kind
            || item.Find(kind, e.PartIndex) is not { } part
            || ItemText.Of(whole, kind) is not { } text
            || (kind == PartKind.OutputText && JsonMembers.Array(whole, "annotations").Length != part.Annotations.Count))
        {
            // The item's own end will say what there is; until then nobody knows.
            item.Unjoinable = true;
            return EventMeaning.Hold;
        }

        var isNew = ledger.Complete(text, part.Text);
        part.TextDone = part.Done = true;
        return Content(isNew) | EventMeaning.Hold;
    }

    private EventMeaning TextDone(in ResponseEvent e, PartKind kind)
    {
        Wait(e);
        if (!ResponseEvent.Has(e.Text))
        {
            return EventMeaning.Hold;
        }

        var text = e.At(e.Text);
        var isComparable = ledger.TryDecode(ref text, out var whole);
        if (ledger.Find(e.OutputIndex) is not { Done: false } item || e.PartIndex < 0 || !isComparable || !ItemText.Fits(kind, item.Kind))
        {
            ledger.Incomparable = true;
            return Content(!isComparable || !whole.IsEmpty) | EventMeaning.Hold;
        }

        var part = item.Find(kind, e.PartIndex) ?? item.Begin(kind, e.PartIndex, announced: false);
        var isNew = ledger.Complete(whole, part.Text);
        part.TextDone = true;
        return Content(isNew) | EventMeaning.Hold;
    }

    private EventMeaning InputDone(in ResponseEvent e)
    {
        if (!ResponseEvent.Has(e.Text))
        {
            return OtherDone(e);
        }

        var text = e.At(e.Text);
        var isComparable = ledger.TryDecode(ref text, out var whole);
        var kind = e.Kind == ResponseEventKind.ArgumentsDone ? ItemKind.FunctionCall : ItemKind.CustomToolCall;
        if (kind == ItemKind.FunctionCall && !(isComparable && JsonText.IsWholeOrEmpty(whole) && IsInputOf(ledger.Find(e.OutputIndex), whole)))
        {
            return EventMeaning.BrokenToolCall;
        }

        Wait(e);
        if (ledger.Find(e.OutputIndex) is not { Done: false } item || item.Kind != kind || !isComparable)
        {
            ledger.Incomparable = true;
        }
        else
        {
            ledger.Complete(whole, item.Input);
            item.InputDone = true;
        }

        return Content(true) | EventMeaning.Hold;
    }

    private EventMeaning AnnotationAdded(in ResponseEvent e)
    {
        if (!ResponseEvent.Has(e.Annotation))
        {
            return EventMeaning.Malformed;
        }

        Begin(e);
        if (ledger.Find(e.OutputIndex) is not { Done: false } item
            || item.Find(PartKind.OutputText, e.PartIndex) is not { TextDone: false } part)
        {
            ledger.Incomparable = true;
        }
        else if (ledger.Keep(e.Bytes(e.Annotation)) is { } annotation)
        {
            part.Annotations.Add(annotation);
        }

        return Content(true);
    }

    /// <summary>
    /// Whether the arguments at a call's end are those that its pieces delivered: some clients run the call they put together
    /// from the pieces, so one that was lost on the way must not pass. White space may differ, which servers write anew.
    /// </summary>
    private bool IsInputOf(DeliveredItem? item, ReadOnlySpan<byte> whole) =>
        ledger.Overflow || item is null or { Input.Length: 0 } || whole.SequenceEqual(item.Input.Span) || JsonText.IsSameValue(item.Input.Span, whole);

    private EventMeaning OtherDone(in ResponseEvent e)
    {
        Wait(e);
        return EventMeaning.Hold;
    }

    private void Begin(in ResponseEvent e)
    {
        ledger.Release();
        ledger.Advance(e.SequenceNumber);
    }

    private void Wait(in ResponseEvent e)
    {
        ledger.Hold();
        ledger.Advance(e.SequenceNumber);
    }

    private EventMeaning Content(bool isContent)
    {
        ledger.AnyContent |= isContent;
        return isContent ? EventMeaning.Content : EventMeaning.Lifecycle;
    }

    /// <summary>What throws, throws here: an event that is malformed must leave the ledger as it was.</summary>
    private static JsonDocument Parse(in ResponseEvent e, Range range)
    {
        var raw = ResponseEvent.Has(range) ? e.Bytes(range) : throw new JsonException();
        var document = JsonDocument.Parse(raw.ToArray());
        if (raw.IndexOf("\\u"u8) >= 0)
        {
            JsonMembers.ReadNames(document.RootElement);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object && !JsonMembers.HasTwins(document.RootElement))
        {
            return document;
        }

        document.Dispose();
        throw new JsonException();
    }
}
