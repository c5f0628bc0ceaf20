using System.Net;

namespace ProxyGateway.TestKit.Contract;

/// <summary>What one attempt had to give: the events a client may see of it, and whether it failed.</summary>
public sealed class AttemptReading
{
    private const int MalformedInARow = 3;

    private readonly IContractFormat _format;
    private readonly ContractRequest _request;
    private readonly ContractLimits? _limits;
    private readonly DecodedMessage _message = new();
    private readonly ContractStream _stream;
    private int _malformed;
    private int _malformedPerhaps;
    private int _heldEnd = -1;
    private bool _finished;
    private bool _unclear;

    private AttemptReading(AttemptRecord attempt, IContractFormat format, ContractRequest request, ContractLimits? limits)
    {
        Attempt = attempt;
        _format = format;
        _stream = format.NewStream();
        _request = request;
        _limits = limits;
    }

    public AttemptRecord Attempt { get; }

    /// <summary>The events a client may get of this attempt, in order, up to its fault.</summary>
    public List<ContractEvent> Events { get; } = [];

    /// <summary>How many of them carry content and must be passed on.</summary>
    public int ContentEvents { get; private set; }

    /// <summary>The stream had its terminal.</summary>
    public bool CanBeComplete { get; private set; }

    /// <summary>The gateway may have seen a fault.</summary>
    public bool CanBeFailed { get; private set; }

    /// <summary>What was sent holds a fault in itself: an error event, events that cannot be read, a cut tool call, an event too large.</summary>
    public bool HasFault { get; private set; }

    /// <summary>Some of what was sent may be read in two ways.</summary>
    public bool IsUnclear => _unclear;

    /// <summary>The last event of the format was among <see cref="Events"/>.</summary>
    public bool HasDone { get; private set; }

    /// <summary>All of <see cref="Events"/> reached the gateway, for certain.</summary>
    public bool IsExact { get; private set; }

    /// <summary>The attempt's whole answer where it is a usable one.</summary>
    public DecodedMessage? Answer { get; private set; }

    /// <summary>Something of it may reach the client.</summary>
    public bool HasStream => CanBeComplete || Events.Exists(e => e.Is(EventTraits.Content));

    /// <summary>Something of it must have reached the client.</summary>
    public bool MustBeSeen => IsExact && (CanBeComplete || ContentEvents > 0);

    public static AttemptReading Read(AttemptRecord attempt, IContractFormat format, ContractRequest request, ContractLimits? limits)
    {
        var reading = new AttemptReading(attempt, format, request, limits);
        if (attempt.Status is < 200 or > 299)
        {
            reading.CanBeFailed = true;
        }
        else if (LooksLikeStream(attempt, format))
        {
            reading.ReadStream();
        }
        else
        {
            reading.CanBeFailed = true;
            reading.Answer = attempt.Ending is AttemptEnding.Clean ? format.ReadAnswer(attempt.Body) : null;
        }

        return reading;
    }

    private static bool LooksLikeStream(AttemptRecord attempt, IContractFormat format)
    {
        if (attempt.ContentType is { } type)
        {
            return type.StartsWith(format.StreamContentType, StringComparison.OrdinalIgnoreCase);
        }

        return attempt.Kind == AttemptKind.Streaming && (IsEventStream(format) != attempt.Body.AsSpan().TrimStart(" \r\n\t"u8).StartsWith((byte)'{'));
    }

    private static bool IsEventStream(IContractFormat format) => format.StreamContentType == "text/event-stream";

    private void ReadStream()
    {
        var body = new ReadOnlyMemory<byte>(Attempt.Body);
        // An event stream in the place of the whole answer that was asked for may be taken for one or refused, and so may bytes
        // of no type that do not begin like one.
        _unclear = Attempt.Kind == AttemptKind.NonStreaming || (Attempt.ContentType is null && !BeginsWithField());
        var lossy = Attempt.Ending == AttemptEnding.CancelledByGateway || (Attempt.Ending == AttemptEnding.Broken && Attempt.MayHaveLostBytes);
        IsExact = !lossy;
        var position = 0;
        var failed = false;
        while (!failed && !HasDone && _format.TryReadBlock(body[position..], position == 0, out var block))
        {
            if (IsWhole && block.Raw.Length > _limits?.MaxEventBytes)
            {
                // Too large, but the answer was complete before it: it is dropped, and all that follows.
                break;
            }

            position += block.Raw.Length;
            failed = !Take(block, optional: block.Raw.Span[^1] == '\r' && position == body.Length && IsEventStream(_format));
        }

        if (!failed && !HasDone && !IsWhole && _limits?.MaxEventBytes is { } max)
        {
            failed = body.Length - position > max;
            _unclear |= ContentEvents == 0 && body.Length > max;
        }

        var mayEnd = !_finished || Attempt.Terminal == TerminalRule.Done;
        if (!failed && !HasDone && mayEnd && position < body.Length && Attempt.Ending == AttemptEnding.Clean)
        {
            TakeUnterminated(body[position..]);
            lossy |= _finished || HasDone;
        }

        while (_heldEnd > 0 && Events[_heldEnd - 1].Is(EventTraits.Held))
        {
            _heldEnd--;
        }

        for (var i = _heldEnd; i >= 0 && i < Events.Count && !HasDone; i++)
        {
            Events[i] = Events[i].AsOptional();
        }

        HasFault = failed;
        if (!_finished && !HasDone)
        {
            // What waits for a later event was never there where none came.
            for (var i = Events.Count - 1; i >= 0 && Events[i].Is(EventTraits.Held | EventTraits.Malformed); i--)
            {
                Events[i] = Events[i].AsOptional();
            }

            ContentEvents = Events.Count(e => e.Is(EventTraits.Content) && !e.Is(EventTraits.Optional));
        }

        CanBeComplete = !failed && (HasDone || (_finished && Attempt.Terminal != TerminalRule.Done));
        CanBeFailed = !CanBeComplete || lossy || _unclear;
        IsExact &= !_unclear;
    }

    private bool BeginsWithField()
    {
        if (!IsEventStream(_format))
        {
            return true;
        }

        var start = Attempt.Body.AsSpan().TrimStart((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF, (byte)'\r', (byte)'\n']);
        return start.StartsWith("data:"u8) || start.StartsWith("event:"u8) || start.StartsWith("id:"u8) || start.StartsWith("retry:"u8) || start.StartsWith(":"u8);
    }

    /// <summary>A body that ends cleanly may lack only the blank line of its last event; a gateway may or may not add it.</summary>
    private void TakeUnterminated(ReadOnlyMemory<byte> rest)
    {
        byte[] whole = [.. rest.Span, .. "\n\n"u8];
        if (_format.TryReadBlock(whole, Events.Count == 0, out var block) && block.HasData)
        {
            var e = _stream.Read(block);
            if (!e.Is(EventTraits.Malformed) || e.Is(EventTraits.Optional))
            {
                Take(e, block, optional: true);
            }
        }
    }

    private bool IsWhole => _finished && Attempt.Terminal != TerminalRule.Done;

    /// <summary>Takes one event; false where it is the fault, or where reading cannot go on.</summary>
    private bool Take(SseBlock block, bool optional)
    {
        if (_limits?.MaxEventBytes is { } max)
        {
            if (block.Raw.Length > max)
            {
                return false;
            }

            // Held lifecycle events count against the same limit, so a long prologue may or may not be a fault.
            _unclear |= ContentEvents == 0 && Events.Sum(e => e.Raw.Length) + block.Raw.Length > max;
        }

        return Take(_stream.Read(block), block, optional);
    }

    private bool Take(ContractEvent e, SseBlock block, bool optional)
    {
        if (_finished)
        {
            TakeTail(e, optional);
            return true;
        }

        if (e.Is(EventTraits.Error))
        {
            return false;
        }

        if (e.Is(EventTraits.Malformed))
        {
            return TakeMalformed(e, block);
        }

        if (!e.Is(EventTraits.NoData))
        {
            _malformed = _malformedPerhaps = 0;
        }

        if (e.Problem is { IsFault: true } || (e.Is(EventTraits.Done) && e.Finishes.Count == 0 && !_format.DoneSuffices(_message, Attempt.Terminal)))
        {
            return false;
        }

        // Whether an answer may consist of a role alone is a matter of opinion.
        _unclear |= e.Is(EventTraits.Done) && !_message.HasContent && !_format.IsFinished(_message, _request);

        _message.Append(e);
        if (!_format.CallsEndWhole && (e.Is(EventTraits.Done) ? _message.BrokenTool() is not null : e.Finishes.Any(f => _message.BrokenTool(f.Choice) is not null)))
        {
            if (!(_message.TextBytes() > _limits?.MaxDeliveredBytes))
            {
                return false;
            }

            // Nobody who may not keep a call can say whether it is whole.
            _unclear = true;
        }

        _unclear |= _format.ArgumentsMayBeMissing && e.Finishes.Any(f => HasCallWithoutArguments(f.Choice));
        Events.Add(optional ? e.AsOptional() : e);
        ContentEvents += e.Is(EventTraits.Content) && !optional ? 1 : 0;
        HasDone = e.Is(EventTraits.Done);
        _finished = _message.Finishes.Count > 0 && _format.IsFinished(_message, _request);
        if (_finished && Attempt.Terminal == TerminalRule.Done)
        {
            // Where only the end marker counts, a stop reason must not reach a client without it.
            _heldEnd = Events.Count - 1;
        }

        return true;
    }

    private bool TakeMalformed(ContractEvent e, SseBlock block)
    {
        _unclear |= ++_malformedPerhaps >= MalformedInARow;
        if (e.Is(EventTraits.Optional))
        {
            Events.Add(e);
            _malformed = 0;
            return true;
        }

        // What begins like an error and then is no JSON may be taken for the error it began as.
        _unclear |= block.EventName == "error" || block.Data.AsSpan().IndexOf("\"error\""u8) >= 0;
        return ++_malformed < MalformedInARow;
    }

    /// <summary>Some servers send no arguments where a call has no parameters; whether nothing parses as JSON is a matter of opinion.</summary>
    private bool HasCallWithoutArguments(int choice) =>
        _message.Blocks.Any(b => b.Key.Channel == Channel.Tool && b.Key.Choice == choice && !b.Value.FreeText && b.Value.Text.Length == 0);

    /// <summary>After the stop reason only the tail counts; nothing that comes then can make the answer less complete.</summary>
    private void TakeTail(ContractEvent e, bool optional)
    {
        // While the end marker is still to come, a gateway may take what contradicts the end for a fault.
        _unclear |= Attempt.Terminal == TerminalRule.Done && (e.Problem is not null || e.Is(EventTraits.Error | EventTraits.Content));
        if (e.Is(EventTraits.Error) || (e.Is(EventTraits.Malformed) && !e.Is(EventTraits.Optional)) || e.Problem is not null)
        {
            // Passed on, what takes nothing from anybody does no harm.
            if (e.Problem is { IsFault: false })
            {
                Events.Add(e.AsOptional());
            }

            return;
        }

        HasDone = e.Is(EventTraits.Done);
        var mandatory = e.Is(EventTraits.Done) || (e.Is(EventTraits.Usage) && !e.Is(EventTraits.Content | EventTraits.Finish) && Attempt.Ending == AttemptEnding.Clean);
        Events.Add(mandatory && !optional ? e : e.AsOptional());
    }

    public override string ToString() => $"{Attempt.Kind} at {Attempt.Cluster}: {(HttpStatusCode)Attempt.Status}, {Events.Count} events";
}
