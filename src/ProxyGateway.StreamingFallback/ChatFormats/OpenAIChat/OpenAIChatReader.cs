using System.Text.Json;
using System.Text.Unicode;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>Reads <c>chat.completion.chunk</c> and <c>text_completion</c> events (OpenAI API reference, "Chat Completions streaming" and "Completions").</summary>
internal sealed partial class OpenAIChatReader(ChatRequest request, ChunkShape shape, int maxDeliveredBytes, TerminalProfile terminal) : ChatStreamReader
{
    private readonly List<DeliveredChoice> _choices = [];
    private readonly TextPattern _pattern = new();
    private bool _anyContent;
    private bool _overflow;
    private bool _incomparable;
    private bool _done;
    private int _kept;
    private bool _endHeld;
    private bool _anyContentBeforeEnd;
    private bool _usageBeforeEnd;
    private int _choicesBeforeEnd;
    private int _keptBeforeEnd;

    /// <summary>The first chunk's <c>id</c>, <c>created</c>, <c>model</c>, <c>system_fingerprint</c> and <c>service_tier</c> as raw JSON: what every made chunk repeats.</summary>
    public ChunkIdentity Identity { get; } = new();

    public IReadOnlyList<DeliveredChoice> Choices => _choices;

    /// <summary>Whether a chunk without choices has reported usage.</summary>
    public bool UsageDelivered { get; private set; }

    public override bool IsDone => _done;

    public override bool IsFinished => terminal switch
    {
        TerminalProfile.Done => _done && (_anyContent || AllFinished()),
        TerminalProfile.FinishReason => AllFinished(),
        _ => AllFinished() || (_done && _anyContent),
    };

    public override bool CanSplice => !_overflow && !_incomparable;

    public override int KeptBytes => _kept;

    public override DeliveredKind Delivered
    {
        get
        {
            if (!_anyContent)
            {
                return DeliveredKind.Nothing;
            }

            var kind = DeliveredKind.Text;
            foreach (var choice in _choices)
            {
                if (choice.ToolCalls.Count > 0)
                {
                    if (!choice.Finished)
                    {
                        return DeliveredKind.ToolCallInFlight;
                    }

                    kind = DeliveredKind.ToolCallComplete;
                }
            }

            return kind;
        }
    }

    public override EventMeaning Read(in StreamEvent e)
    {
        var data = e.Data.Trim(" \t\r\n"u8);
        if (!e.HasData || data.IsEmpty)
        {
            return _endHeld ? EventMeaning.Hold : EventMeaning.Lifecycle;
        }

        if (e.IsDoneMarker)
        {
            return ReadDone();
        }

        if (e.Type.IsEmpty && !_endHeld && _pattern.Matches(data, out var text, out var channel))
        {
            AppendPlain(text, channel);
            return EventMeaning.Content;
        }

        var anyContentBefore = _anyContent;
        var usageBefore = UsageDelivered;
        var parser = new ChunkParser(this);
        EventMeaning meaning;
        try
        {
            meaning = parser.Parse(data);
        }
        catch (Exception e2) when (e2 is JsonException or InvalidOperationException or FormatException)
        {
            meaning = EventMeaning.Malformed;
        }

        if (e.Type.SequenceEqual("error"u8) && meaning != EventMeaning.Error)
        {
            Complaint = UpstreamComplaint.Other;
            meaning = EventMeaning.Error;
        }

        if ((meaning & EventMeaning.Finish) != 0 && !ToolCallsAreWhole(ofAll: false))
        {
            meaning = EventMeaning.BrokenToolCall;
        }

        if (meaning is EventMeaning.Error or EventMeaning.Malformed or EventMeaning.BrokenToolCall)
        {
            parser.TakeBack();
            return meaning;
        }

        parser.Keep();
        if (meaning == EventMeaning.Content)
        {
            parser.Learn(data);
        }

        if (IsFinished || !AllFinished())
        {
            // A choice may finish while others go on: only the last finish is the stream's.
            return IsFinished ? meaning : meaning & ~EventMeaning.Finish;
        }

        // Only the end marker counts, and a stream that breaks off before it must not have shown a stop reason.
        if (!_endHeld)
        {
            _endHeld = true;
            (_anyContentBeforeEnd, _usageBeforeEnd) = (anyContentBefore, usageBefore);
            (_choicesBeforeEnd, _keptBeforeEnd) = parser.KeepMarks();
        }

        return (meaning & ~EventMeaning.Finish) | EventMeaning.Hold;
    }

    public override void DropHeld()
    {
        if (!_endHeld)
        {
            return;
        }

        _endHeld = false;
        (_anyContent, UsageDelivered, _kept) = (_anyContentBeforeEnd, _usageBeforeEnd, _keptBeforeEnd);
        for (var i = _choices.Count - 1; i >= 0; i--)
        {
            if (i < _choicesBeforeEnd)
            {
                _choices[i].BackToKeptMark();
                continue;
            }

            _choices[i].Dispose();
            _choices.RemoveAt(i);
        }
    }

    public override void Dispose()
    {
        foreach (var choice in _choices)
        {
            choice.Dispose();
        }

        _choices.Clear();
    }

    private EventMeaning ReadDone()
    {
        if (!ToolCallsAreWhole(ofAll: true))
        {
            return EventMeaning.BrokenToolCall | EventMeaning.Done;
        }

        _done = true;
        _endHeld = false;
        return EventMeaning.Done;
    }

    private bool AllFinished()
    {
        var finished = 0;
        foreach (var choice in _choices)
        {
            if (!choice.Finished)
            {
                return false;
            }

            finished++;
        }

        return finished > 0 && finished >= request.ChoiceCount;
    }

    /// <summary>Whether the tool calls of finished choices, or of all, have arguments that parse.</summary>
    private bool ToolCallsAreWhole(bool ofAll)
    {
        if (_overflow)
        {
            return true; // Not kept, so not known; the bound on memory goes first.
        }

        foreach (var choice in _choices)
        {
            if (!choice.Finished && !ofAll)
            {
                continue;
            }

            foreach (var call in choice.ToolCalls)
            {
                if (!JsonText.IsWholeOrEmpty(call.Arguments.Span))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private void AppendPlain(ReadOnlySpan<byte> text, PooledBuffer channel)
    {
        if (_overflow)
        {
            // What is kept serves nothing any more.
            channel.Clear();
        }
        else if (_kept + text.Length > maxDeliveredBytes)
        {
            _overflow = true;
        }
        else if (!Utf8.IsValid(text))
        {
            _incomparable = true;
        }
        else
        {
            channel.Append(text);
            _kept += text.Length;
        }
    }

    private DeliveredChoice Choice(int index)
    {
        foreach (var choice in _choices)
        {
            if (choice.Index == index)
            {
                return choice;
            }
        }

        var added = new DeliveredChoice(index);
        _choices.Add(added);
        return added;
    }

    private int MaxDeliveredBytes => maxDeliveredBytes;

    private ChunkShape Shape => shape;
}
