using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIResponses;

/// <summary>
/// Reads the typed events of a response (OpenAI API reference, "Responses streaming events"). Events that close something
/// are held until something else begins or the response is complete: a client that got an item's end but not the
/// response's takes the item, asks again and has it twice.
/// </summary>
internal sealed class OpenAIResponsesReader(int maxDeliveredBytes, TerminalProfile terminal) : ChatStreamReader
{
    private readonly Lock _numbering = new();
    private Numbers _numbers;
    private bool _completed;
    private bool _completedHeld;
    private bool _done;

    /// <summary>Whose the next sequence number is.</summary>
    private enum Numbers
    {
        Upstream,
        Gateway,
        Rest,
    }

    public ResponseLedger Ledger { get; } = new(maxDeliveredBytes);

    public override bool IsDone => _done;

    public override bool IsFinished => terminal switch
    {
        TerminalProfile.Done => _done && (_completed || Ledger.AnyContent),
        TerminalProfile.Either => _completed || (_done && Ledger.AnyContent),
        _ => _completed,
    };

    public override int KeptBytes => Ledger.KeptBytes;

    public override bool CanSplice
    {
        get
        {
            if (Ledger.Overflow || Ledger.Incomparable || Ledger.Identity is null || (_completed && !IsFinished))
            {
                return false;
            }

            foreach (var item in Ledger.Items)
            {
                if (item.Done ? item.Whole is null : item.Kind == ItemKind.Other || item.Unjoinable)
                {
                    return false;
                }
            }

            return true;
        }
    }

    public override DeliveredKind Delivered
    {
        get
        {
            if (!Ledger.AnyContent)
            {
                return DeliveredKind.Nothing;
            }

            var kind = DeliveredKind.Text;
            foreach (var item in Ledger.Items)
            {
                if (item.IsToolCall)
                {
                    if (!item.Done)
                    {
                        return DeliveredKind.ToolCallInFlight;
                    }

                    kind = DeliveredKind.ToolCallComplete;
                }
            }

            return kind;
        }
    }

    /// <summary>
    /// An event that the gateway may add to the stream, and its number; null while the upstream still numbers its own, once the rest
    /// of the stream has been made, and where nothing is open. The heartbeat asks from a timer, hence the lock.
    /// </summary>
    public (EmptyDelta Delta, long Number)? TakeHeartbeat()
    {
        lock (_numbering)
        {
            if (_numbers != Numbers.Gateway || EmptyDelta.For(Ledger) is not { } delta)
            {
                return null;
            }

            Ledger.Advance(-1);
            return (delta, Ledger.Sequence);
        }
    }

    /// <summary>Makes the rest of the stream, which has all further numbers: from the one given on.</summary>
    public void MakeRest(Action<long> make)
    {
        long last;
        lock (_numbering)
        {
            _numbers = Numbers.Rest;
            last = Ledger.Sequence;
        }

        var isMade = false;
        try
        {
            make(last + 1);
            isMade = true;
        }
        finally
        {
            if (!isMade)
            {
                ReturnNumbers();
            }
        }
    }

    public override EventMeaning Read(in StreamEvent e)
    {
        var data = e.HasData ? e.Data.Trim(" \t\r\n"u8) : default;
        if (data.IsEmpty)
        {
            // A comment between an item's end and the response's must not part the two.
            return Ledger.Holding ? EventMeaning.Hold : EventMeaning.Lifecycle;
        }

        if (e.IsDoneMarker)
        {
            _done = true;
            if (IsFinished)
            {
                // An end marker that ends nothing delivers nothing either: what waits is dropped with the attempt.
                Ledger.Release();
                _completedHeld = false;
            }

            return EventMeaning.Done;
        }

        if (e.Type.SequenceEqual("error"u8))
        {
            Complaint = ResponseErrors.Read(data);
            return EventMeaning.Error;
        }

        try
        {
            return ResponseEvent.TryRead(data, e.Type, out var parsed) ? Take(in parsed, data) : EventMeaning.Malformed;
        }
        catch (Exception e2) when (e2 is JsonException or InvalidOperationException)
        {
            return EventMeaning.Malformed;
        }
    }

    public override void DropHeld()
    {
        Ledger.TakeBack();
        _completed &= !_completedHeld;
        _completedHeld = false;
        ReturnNumbers();
    }

    public override void KeepHeld()
    {
        Ledger.Release();
        _completedHeld = false;
    }

    public override void Dispose() => Ledger.Dispose();

    private void ReturnNumbers()
    {
        lock (_numbering)
        {
            _numbers = Numbers.Gateway;
        }
    }

    private EventMeaning Take(in ResponseEvent e, ReadOnlySpan<byte> data)
    {
        if (_completed)
        {
            return EventMeaning.Malformed; // Nothing but an end marker follows the end.
        }

        switch (e.Kind)
        {
            case ResponseEventKind.OutputTextDelta:
                return TakeDelta(e, PartKind.OutputText);
            case ResponseEventKind.RefusalDelta:
                return TakeDelta(e, PartKind.Refusal);
            case ResponseEventKind.ReasoningTextDelta:
                return TakeDelta(e, PartKind.ReasoningText);
            case ResponseEventKind.SummaryTextDelta:
                return TakeDelta(e, PartKind.SummaryText);
            case ResponseEventKind.ArgumentsDelta or ResponseEventKind.InputDelta or ResponseEventKind.OtherDelta:
                return TakeDelta(e, null);
            case ResponseEventKind.Failed:
                Complaint = ResponseErrors.Read(data);
                return EventMeaning.Error;
            case ResponseEventKind.Completed:
                return TakeCompleted(e, data);
            case ResponseEventKind.Started:
                return TakeStarted(e);
            case ResponseEventKind.Other or ResponseEventKind.Foreign:
                return Pass(e);
            default:
                return new ItemEvents(Ledger).Take(e);
        }
    }

    /// <summary>An event that changes nothing goes with what waits, unless it is about an item that goes on.</summary>
    private EventMeaning Pass(in ResponseEvent e)
    {
        if (Ledger.Holding && Ledger.Find(e.OutputIndex) is not { Done: false })
        {
            Ledger.Advance(e.SequenceNumber);
            return EventMeaning.Hold;
        }

        Ledger.Release();
        Ledger.Advance(e.SequenceNumber);
        return EventMeaning.Lifecycle;
    }

    /// <param name="e">The event.</param>
    /// <param name="partKind">What kind of part the text belongs to; null where it belongs to the item itself.</param>
    private EventMeaning TakeDelta(in ResponseEvent e, PartKind? partKind)
    {
        if (e.Kind == ResponseEventKind.ArgumentsDelta && Ledger.Find(e.OutputIndex) is { InputDone: true, Done: false, Kind: ItemKind.FunctionCall })
        {
            // Clients that put the call together from its pieces would run it with arguments that nobody meant.
            return EventMeaning.Contradiction;
        }

        Ledger.Release();
        Ledger.Advance(e.SequenceNumber);
        if (!ResponseEvent.Has(e.Delta))
        {
            return EventMeaning.Lifecycle;
        }

        var text = e.At(e.Delta);
        if (text.TokenType == JsonTokenType.Null || (text.TokenType == JsonTokenType.String && text.ValueSpan.IsEmpty))
        {
            return EventMeaning.Lifecycle;
        }

        Ledger.AnyContent = true;
        var item = Ledger.Find(e.OutputIndex);
        if (item is null || item.Done || (text.TokenType != JsonTokenType.String && e.Kind != ResponseEventKind.OtherDelta))
        {
            Ledger.Incomparable = true;
        }
        else if (e.Kind == ResponseEventKind.OtherDelta)
        {
            item.Unjoinable = true;
        }
        else if (partKind is null)
        {
            if (item.InputDone || item.Kind != (e.Kind == ResponseEventKind.ArgumentsDelta ? ItemKind.FunctionCall : ItemKind.CustomToolCall))
            {
                Ledger.Incomparable = true;
            }
            else
            {
                Ledger.Append(ref text, item.Input);
            }
        }
        else if (e.PartIndex < 0 || !ItemText.Fits(partKind.Value, item.Kind))
        {
            Ledger.Incomparable = true;
        }
        else
        {
            var part = item.Find(partKind.Value, e.PartIndex) ?? item.Begin(partKind.Value, e.PartIndex, announced: false);
            Ledger.Incomparable |= part.TextDone;
            Ledger.Append(ref text, part.Text);
        }

        return EventMeaning.Content;
    }

    private EventMeaning TakeStarted(in ResponseEvent e)
    {
        if (Ledger.Identity is null && ResponseEvent.Has(e.Response))
        {
            var raw = e.Bytes(e.Response);
            using var document = JsonDocument.Parse(raw.ToArray());
            if (JsonMembers.HasTwins(document.RootElement))
            {
                return EventMeaning.Malformed;
            }

            // Without its snapshot an answer can still be continued.
            Ledger.Identity = ResponseIdentity.Read(document.RootElement, RawJson.CanBeWritten(document.RootElement) ? Ledger.KeepIfRoom(raw) : null);
        }

        return Pass(e);
    }

    private EventMeaning TakeCompleted(in ResponseEvent e, ReadOnlySpan<byte> data)
    {
        if (ResponseEvent.Has(e.Response))
        {
            using var document = JsonDocument.Parse(e.Bytes(e.Response).ToArray());
            var response = document.RootElement;
            if (JsonMembers.HasTwins(response))
            {
                return EventMeaning.Malformed;
            }

            if (JsonMembers.Is(response, "status", "failed")
                || (response.ValueKind == JsonValueKind.Object && response.TryGetProperty("error"u8, out var error) && error.ValueKind != JsonValueKind.Null))
            {
                Complaint = ResponseErrors.Read(data);
                return EventMeaning.Error;
            }

            foreach (var item in JsonMembers.Array(response, "output"))
            {
                if (ItemText.IsBrokenCall(item))
                {
                    return EventMeaning.BrokenToolCall;
                }
            }
        }

        foreach (var item in Ledger.Items)
        {
            if (!item.Done && item.Kind == ItemKind.FunctionCall && !Ledger.Overflow && !JsonText.IsWholeOrEmpty(item.Input.Span))
            {
                return EventMeaning.BrokenToolCall;
            }
        }

        _completed = true;
        if (!IsFinished)
        {
            // Only the end marker counts, and a stream that breaks off before it must not have shown an end.
            Ledger.Hold();
            Ledger.Advance(e.SequenceNumber);
            _completedHeld = true;
            return EventMeaning.Hold;
        }

        Ledger.Release();
        Ledger.Advance(e.SequenceNumber);
        return EventMeaning.Finish;
    }
}
