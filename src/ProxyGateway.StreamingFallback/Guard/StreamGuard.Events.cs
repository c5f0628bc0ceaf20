using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Guard;

/// <content>What one event means for the stream.</content>
internal sealed partial class StreamGuard
{
    /// <summary>Reads one whole event and says whether it is passed on, and whether only later.</summary>
    private bool Accept(ReadOnlySpan<byte> raw, out bool hold)
    {
        hold = false;
        var e = EventParser.Parse(format.Framing, raw, _isFirst, _scratch);
        _isFirst = false;
        var meaning = reader.Read(e);
        const EventMeaning Dropped = EventMeaning.Error | EventMeaning.Malformed | EventMeaning.BrokenToolCall | EventMeaning.Contradiction;
        // After the finish an end marker is the end, whatever its format has against it.
        _dropped = ((meaning & Dropped) != 0 && !(State == GuardState.Finished && (meaning & EventMeaning.Done) != 0))
            // The answer has ended: what is said after it no attempt answers for, and some clients would begin anew with it. Servers that
            // give a reason in each event have not ended with the first.
            || (State == GuardState.Finished && (meaning & (EventMeaning.Content | EventMeaning.Finish | EventMeaning.Done)) == EventMeaning.Content);
        if (_dropped)
        {
            Drop(meaning);
            return false;
        }

        if (_malformedInARow > 0 && !e.Data.Trim(" \t\r\n"u8).IsEmpty)
        {
            _malformedInARow = 0;
        }

        if (meaning != EventMeaning.Content)
        {
            // Formats report usage at the start, at the end or in events of its own; a plain piece of text is not searched for it.
            Usage = Usage.Then(format.ReadUsage(e.Data));
        }

        if ((meaning & EventMeaning.Content) != 0)
        {
            ContentEvents++;
            if (State == GuardState.Holding)
            {
                State = GuardState.Flowing;
            }
        }

        if ((meaning & EventMeaning.Done) != 0)
        {
            if (!reader.IsFinished && State != GuardState.Finished)
            {
                // An end marker after nothing, or where the cluster's profile wants a finish reason, is no terminal.
                Fail(State == GuardState.Holding ? FaultKind.EmptyStream : FaultKind.EndedWithoutTerminal);
                return false;
            }

            State = GuardState.Done;
            return true;
        }

        if ((meaning & EventMeaning.Finish) != 0)
        {
            State = GuardState.Finished;
            return true;
        }

        hold = State == GuardState.Holding || (meaning & EventMeaning.Hold) != 0;
        return true;
    }

    private void Drop(EventMeaning meaning)
    {
        if (State == GuardState.Finished)
        {
            // The answer is complete; what an upstream says after it cannot make it less so.
            return;
        }

        if ((meaning & EventMeaning.Malformed) != 0)
        {
            MalformedEvents++;
            if (++_malformedInARow >= MaxMalformedInARow)
            {
                Fail(FaultKind.MalformedEvents);
            }

            return;
        }

        Fail(meaning switch
        {
            EventMeaning.Error => FaultKind.ErrorEvent,
            EventMeaning.Contradiction => FaultKind.MalformedEvents,
            _ => FaultKind.BrokenToolCall,
        });
    }
}
