using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.AnthropicMessages;

/// <summary>
/// Reads the events of a message stream (Anthropic documentation, "Streaming messages"). Every event is checked in full
/// before the ledger changes, so that one that is not passed on leaves no trace.
/// </summary>
internal sealed class AnthropicMessagesReader(int maxDeliveredBytes, TerminalProfile terminal) : ChatStreamReader
{
    /// <summary>The API has one block open at a time; more than a few is no message but an attempt to make the gateway keep something.</summary>
    private const int MaxOpenBlocks = 64;

    private bool _started;
    private bool _anyContent;
    private bool _stopHeld;
    private bool _done;

    public DeliveredMessage Message { get; } = new(maxDeliveredBytes);

    /// <summary>Whether a stop reason was delivered.</summary>
    public bool StopDelivered { get; private set; }

    public override bool IsDone => _done;

    public override bool IsFinished => terminal switch
    {
        TerminalProfile.FinishReason => StopDelivered,
        TerminalProfile.Done => _done && (_anyContent || StopDelivered),
        _ => StopDelivered || (_done && _anyContent),
    };

    public override bool CanSplice => Message.CanSplice;

    public override int KeptBytes => Message.KeptBytes;

    public override DeliveredKind Delivered =>
        !_anyContent ? DeliveredKind.Nothing
        : Message.HasOpenToolCall() ? DeliveredKind.ToolCallInFlight
        : Message.AnyToolCallComplete ? DeliveredKind.ToolCallComplete
        : DeliveredKind.Text;

    /// <summary>What a held stop reason makes of an event that means nothing by itself: it must not let the stop reason go.</summary>
    private EventMeaning Quiet => _stopHeld ? EventMeaning.Hold : EventMeaning.Lifecycle;

    public override EventMeaning Read(in StreamEvent e)
    {
        if (!e.HasData)
        {
            return Quiet;
        }

        var data = e.Data.Trim(" \t\r\n"u8);
        if (data.IsEmpty)
        {
            return Quiet;
        }

        var line = MessageEvent.NameOf(e.Type);
        EventMeaning meaning;
        try
        {
            meaning = Take(MessageEvent.Parse(data), line, data);
        }
        catch (Exception e2) when (e2 is JsonException or InvalidOperationException or FormatException)
        {
            if (line == MessageEventName.Error)
            {
                Complaint = UpstreamComplaint.Other;
                return EventMeaning.Error;
            }

            return EventMeaning.Malformed;
        }

        _anyContent |= (meaning & EventMeaning.Content) != 0;
        return meaning;
    }

    public override void DropHeld()
    {
        if (_stopHeld)
        {
            _stopHeld = false;
            StopDelivered = false;
        }
    }

    public override void Dispose() => Message.Dispose();

    private EventMeaning Take(in MessageEvent e, MessageEventName line, ReadOnlySpan<byte> data)
    {
        if (line == MessageEventName.Error || e.Name == MessageEventName.Error || e.HasError)
        {
            var complaint = AnthropicError.Read(data);
            Complaint = complaint == UpstreamComplaint.None ? UpstreamComplaint.Other : complaint;
            return EventMeaning.Error;
        }

        var name = e.Name;
        if (name == MessageEventName.None && line == MessageEventName.MessageStop)
        {
            name = line; // Some servers end with an empty object.
        }

        if (name < MessageEventName.MessageStart && line < MessageEventName.MessageStart)
        {
            return Quiet;
        }

        if (name < MessageEventName.MessageStart || line < MessageEventName.MessageStart)
        {
            // Clients go by the `event:` line or by the data; where either does not name the message's grammar, some drop the event without a word.
            return EventMeaning.Contradiction;
        }

        return name switch
        {
            MessageEventName.MessageStart => TakeMessageStart(e),
            MessageEventName.BlockStart => TakeBlockStart(e),
            MessageEventName.BlockDelta => TakeBlockDelta(e),
            MessageEventName.BlockStop => TakeBlockStop(e),
            MessageEventName.MessageDelta => TakeMessageDelta(e),
            _ => TakeMessageStop(),
        };
    }

    private EventMeaning TakeMessageStart(in MessageEvent e)
    {
        if (_started)
        {
            return EventMeaning.Contradiction;
        }

        if (e.Message.IsEmpty)
        {
            return EventMeaning.Malformed;
        }

        if (EventMembers.TryFind(e.Message, "content"u8, out var content) && content.TokenType == JsonTokenType.StartArray
            && content.Read() && content.TokenType != JsonTokenType.EndArray)
        {
            Message.SetIncomparable(); // Content that no event opens.
        }

        _started = true;
        return EventMeaning.Lifecycle;
    }

    private EventMeaning TakeBlockStart(in MessageEvent e)
    {
        var json = e.ContentBlock;
        if (json.IsEmpty || e.Index < 0 || EventMembers.GetUtf8(json, "type"u8) is not { Length: > 0 } type)
        {
            return EventMeaning.Malformed;
        }

        if (!_started || StopDelivered || e.Index != Message.NextIndex || Message.OpenCount >= MaxOpenBlocks)
        {
            return EventMeaning.Contradiction;
        }

        return BlockStart.Open(Message, e.Index, json, type);
    }

    private EventMeaning TakeBlockDelta(in MessageEvent e)
    {
        if (e.DeltaType == BlockDeltaType.None || e.Index < 0)
        {
            return EventMeaning.Malformed;
        }

        if (Message.FindOpen(e.Index) is not { } block || !Fits(e.DeltaType, block.Kind))
        {
            return EventMeaning.Contradiction;
        }

        switch (e.DeltaType)
        {
            case BlockDeltaType.Text:
                return e.Text.IsEmpty ? EventMeaning.Malformed : Message.Append(block, e.Text);
            case BlockDeltaType.InputJson:
                return e.PartialJson.IsEmpty ? EventMeaning.Malformed : Message.Append(block, e.PartialJson);
            case BlockDeltaType.Thinking when e.Thinking.IsEmpty:
                return EventMeaning.Malformed;
            case BlockDeltaType.Thinking:
                var thinks = EventMembers.HasText(e.Thinking);
                block.Signed &= !thinks;
                return thinks ? EventMeaning.Content : EventMeaning.Lifecycle;
            case BlockDeltaType.Signature:
                var signs = EventMembers.HasText(EventMembers.RawString(e.Delta, "signature"u8));
                block.Signed = signs && !block.Signed;
                return signs ? EventMeaning.Content : EventMeaning.Lifecycle;
            case BlockDeltaType.Citations:
                var citation = EventMembers.Raw(e.Delta, "citation"u8);
                if (citation.IsEmpty)
                {
                    return EventMeaning.Malformed;
                }

                Message.AddCitation(block, citation);
                return EventMeaning.Content;
            case BlockDeltaType.Compaction:
                return Message.Append(block, EventMembers.RawString(e.Delta, "content"u8)); // One that failed has no text.
            default:
                Message.SetIncomparable();
                return EventMeaning.Content;
        }
    }

    /// <summary>A delta of another kind of block is ignored by clients without a word.</summary>
    private static bool Fits(BlockDeltaType delta, BlockKind block) => delta switch
    {
        BlockDeltaType.Text or BlockDeltaType.Citations => block == BlockKind.Text,
        BlockDeltaType.InputJson => block == BlockKind.Tool,
        BlockDeltaType.Thinking or BlockDeltaType.Signature => block == BlockKind.Thinking,
        BlockDeltaType.Compaction => block == BlockKind.Compaction,
        _ => true,
    };

    private EventMeaning TakeBlockStop(in MessageEvent e)
    {
        if (e.Index < 0)
        {
            return EventMeaning.Malformed;
        }

        if (Message.FindOpen(e.Index) is not { } block)
        {
            // A second stop takes nothing from anybody. That of a block that never began, or after the message's end, says that something was lost.
            return e.Index >= Message.NextIndex || (StopDelivered && !_stopHeld) ? EventMeaning.Contradiction : Quiet;
        }

        if (!IsWholeInput(block))
        {
            return EventMeaning.BrokenToolCall;
        }

        Message.Close(block);
        return EventMeaning.Lifecycle;
    }

    private EventMeaning TakeMessageDelta(in MessageEvent e)
    {
        if (e.Delta.IsEmpty || !EventMembers.TryFind(e.Delta, "stop_reason"u8, out var reason) || reason.TokenType != JsonTokenType.String)
        {
            return Quiet;
        }

        if (!_started || StopDelivered)
        {
            return EventMeaning.Contradiction;
        }

        if (reason.ValueTextEquals("error"u8))
        {
            Complaint = UpstreamComplaint.Other;
            return EventMeaning.Error;
        }

        if (Message.OpenCount > 0)
        {
            return Unfinished();
        }

        StopDelivered = true;
        _stopHeld = terminal == TerminalProfile.Done;
        return _stopHeld ? EventMeaning.Hold : EventMeaning.Finish;
    }

    private EventMeaning TakeMessageStop()
    {
        if (Message.OpenCount > 0)
        {
            return Unfinished();
        }

        _done = true;
        _stopHeld &= !IsFinished;
        return EventMeaning.Done;
    }

    /// <summary>An end while a block is open: clients drop such a block, or run half a call.</summary>
    private EventMeaning Unfinished() => Message.HasOpenToolCall() ? EventMeaning.BrokenToolCall : EventMeaning.Contradiction;

    private static bool IsWholeInput(DeliveredBlock block) =>
        block.Kind != BlockKind.Tool || block.Incomplete || JsonText.IsWholeOrEmpty(block.TextOrEmpty);
}
