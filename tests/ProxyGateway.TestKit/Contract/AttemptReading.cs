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
    private int _malformed;
    private bool _finished;
    private bool _unclear;

    private AttemptReading(AttemptRecord attempt, IContractFormat format, ContractRequest request, ContractLimits? limits)
    {
        Attempt = attempt;
        _format = format;
        _request = request;
        _limits = limits;
    }

    public AttemptRecord Attempt { get; }

    /// <summary>The events a client may get of this attempt, in order, up to its fault.</summary>
    public List<ContractEvent> Events { get; } = [];

    /// <summary>How many of them carry content.</summary>
    public int ContentEvents { get; private set; }

    /// <summary>The stream had its terminal.</summary>
    public bool CanBeComplete { get; private set; }

    /// <summary>The gateway may have seen a fault.</summary>
    public bool CanBeFailed { get; private set; }

    /// <summary>The last event of the format was among <see cref="Events"/>.</summary>
    public bool HasDone { get; private set; }

    /// <summary>All of <see cref="Events"/> reached the gateway, for certain.</summary>
    public bool IsExact { get; private set; }

    /// <summary>The attempt's whole answer where it is a usable one.</summary>
    public DecodedMessage? Answer { get; private set; }

    public bool HasStream => ContentEvents > 0 || CanBeComplete;

    public static AttemptReading Read(AttemptRecord attempt, IContractFormat format, ContractRequest request, ContractLimits? limits)
    {
        var reading = new AttemptReading(attempt, format, request, limits);
        if (attempt.Status is < 200 or > 299)
        {
            reading.CanBeFailed = true;
        }
        else if (LooksLikeStream(attempt))
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

    private static bool LooksLikeStream(AttemptRecord attempt)
    {
        if (attempt.ContentType is { } type)
        {
            return type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);
        }

        return attempt.Kind == AttemptKind.Streaming && !attempt.Body.AsSpan().TrimStart(" \r\n\t"u8).StartsWith((byte)'{');
    }

    private void ReadStream()
    {
        var body = new ReadOnlyMemory<byte>(Attempt.Body);
        var lossy = Attempt.Ending == AttemptEnding.CancelledByGateway || (Attempt.Ending == AttemptEnding.Broken && Attempt.MayHaveLostBytes);
        IsExact = !lossy;
        var position = 0;
        var failed = false;
        while (!failed && !HasDone && SseBlock.TryRead(body[position..], position == 0, out var block))
        {
            position += block.Raw.Length;
            failed = !Take(block, optional: block.Raw.Span[^1] == '\r' && position == body.Length);
        }

        if (!failed && !HasDone && !_finished && position < body.Length && Attempt.Ending == AttemptEnding.Clean)
        {
            TakeUnterminated(body[position..]);
            lossy |= _finished || HasDone;
        }

        CanBeComplete = !failed && (HasDone || (_finished && Attempt.Terminal != TerminalRule.Done));
        CanBeFailed = !CanBeComplete || lossy || _unclear;
        IsExact &= !_unclear;
    }

    /// <summary>A body that ends cleanly may lack only the blank line of its last event; a gateway may or may not add it.</summary>
    private void TakeUnterminated(ReadOnlyMemory<byte> rest)
    {
        byte[] whole = [.. rest.Span, .. rest.Span[^1] is (byte)'\n' or (byte)'\r' ? "\n"u8 : "\n\n"u8];
        if (SseBlock.TryRead(whole, Events.Count == 0, out var block) && block.HasData && block.Raw.Length == whole.Length)
        {
            Take(block, optional: true);
        }
    }

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

        var e = _format.ReadEvent(block);
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
            if (e.Is(EventTraits.Optional))
            {
                Events.Add(e);
                _unclear |= ++_malformed >= MalformedInARow;
                return true;
            }

            return ++_malformed < MalformedInARow;
        }

        if (!e.Is(EventTraits.NoData))
        {
            _malformed = 0;
        }

        if (e.Is(EventTraits.Done) && (Attempt.Terminal == TerminalRule.FinishReason || _message.Choices.Count == 0))
        {
            return false;
        }

        _message.Append(e);
        if (e.Is(EventTraits.Done) ? _message.BrokenTool() is not null : e.Finishes.Any(f => _message.BrokenTool(f.Choice) is not null))
        {
            return false;
        }

        _unclear |= e.Finishes.Any(f => HasCallWithoutArguments(f.Choice));
        Events.Add(optional ? e.AsOptional() : e);
        ContentEvents += e.Is(EventTraits.Content) && !optional ? 1 : 0;
        HasDone = e.Is(EventTraits.Done);
        _finished = _message.Finishes.Count > 0 && _format.IsFinished(_message, _request);
        return true;
    }

    /// <summary>Some servers send no arguments where a call has no parameters; whether nothing parses as JSON is a matter of opinion.</summary>
    private bool HasCallWithoutArguments(int choice) =>
        _message.Blocks.Any(b => b.Key.Channel == Channel.Tool && b.Key.Choice == choice && !b.Value.FreeText && b.Value.Text.Length == 0);

    /// <summary>After the stop reason only the tail counts; nothing that comes then can make the answer less complete.</summary>
    private void TakeTail(ContractEvent e, bool optional)
    {
        if (e.Is(EventTraits.Error | EventTraits.Malformed))
        {
            return;
        }

        HasDone = e.Is(EventTraits.Done);
        var mandatory = e.Is(EventTraits.Done) || (e.Is(EventTraits.Usage) && !e.Is(EventTraits.Content | EventTraits.Finish) && Attempt.Ending == AttemptEnding.Clean);
        Events.Add(mandatory && !optional ? e : e.AsOptional());
    }

    public override string ToString() => $"{Attempt.Kind} at {Attempt.Cluster}: {(HttpStatusCode)Attempt.Status}, {Events.Count} events";
}
