using ProxyGateway.SimulationTests.Simulation;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Grid;

/// <summary>Turns a case's coordinates into what its upstreams do and how its route is configured.</summary>
internal sealed class GridScripts(GridCase @case)
{
    private static readonly byte[] Garbage = "<html>502 Bad Gateway</html>\n\ndata: {\"no\": \n\n"u8.ToArray();
    private static readonly byte[] Page = "<!doctype html><title>Sign in</title>"u8.ToArray();
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(25);

    /// <summary>So long that several of them outlast every clock and a heartbeat would be due.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(14);

    private readonly GridSubject _subject = @case.Subject;
    private readonly GridStream _stream = @case.Subject.Stream;

    /// <summary>Whether the first attempt's stream comes with long pauses, at any byte of it.</summary>
    public bool IsPaused => @case.Pick(9, 6) == 0;

    public SimulatedRoute Route => new(_subject.Format.Name)
    {
        Enabled = @case.Replay != ReplayKind.Disabled,
        Replay = @case.Replay switch
        {
            ReplayKind.Never => ReplayPolicy.Never,
            ReplayKind.BeforeContent => ReplayPolicy.BeforeContent,
            _ => ReplayPolicy.Safe,
        },
        OnMidStreamFailure = @case.Replay == ReplayKind.Terminate ? MidStreamFailureAction.Terminate : MidStreamFailureAction.Splice,
        ResponseFormat = @case.Replay == ReplayKind.AsJson ? ReplayResponseFormat.Json : ReplayResponseFormat.Stream,
        HasFallback = @case.Replay == ReplayKind.EqualAtFallback || @case.Pick(1, 4) > 0,
        Terminal = _stream.Terminal switch
        {
            TerminalRule.Done => TerminalProfile.Done,
            TerminalRule.FinishReason => TerminalProfile.FinishReason,
            _ => TerminalProfile.Auto,
        },
        MaxEventBytes = _stream.MaxEventBytes,
        MaxDeliveredBytes = _stream.MaxDeliveredBytes,
    };

    public UpstreamScript Answer(int attempt, bool streaming, bool isFallback)
    {
        if (attempt == 1)
        {
            return First();
        }

        return @case.Replay switch
        {
            ReplayKind.EqualAtFallback when !isFallback => Error(500),
            ReplayKind.Diverging when _subject.Diverging.Count > 0 => Replay(streaming, Picked(_subject.Diverging)),
            ReplayKind.OtherTools when _subject.OtherTools.Count > 0 => Replay(streaming, Picked(_subject.OtherTools)),
            ReplayKind.Failing => Error(@case.Pick(2, 2) == 0 ? 500 : 503),
            ReplayKind.Truncated => Truncated(streaming),
            ReplayKind.TruncatedThenEqual when attempt == 2 => Truncated(streaming),
            ReplayKind.Unfinished => Replay(streaming, _subject.Unfinished) with { Body = streaming ? Part(_subject.OtherStream) : _subject.Unfinished },
            ReplayKind.ErrorBody => UpstreamScript.Json(_subject.Format.ErrorBody),
            ReplayKind.ClientError => Error(400),
            ReplayKind.RateLimited when attempt == 2 => Error(429) with { RetryAfterSeconds = 1 + @case.Pick(3, 8) },
            ReplayKind.Slow => Equal(streaming) with { Delay = Late },
            ReplayKind.Silent => new UpstreamScript { End = ScriptEnd.Silence },
            ReplayKind.CutAgain when attempt == 2 => Equal(streaming) is var whole
                ? whole with { Body = Part(whole.Body), End = @case.Pick(4, 2) == 0 ? ScriptEnd.Reset : ScriptEnd.Silence }
                : throw new InvalidOperationException(),
            ReplayKind.EventStream => new UpstreamScript { ContentType = StreamType, Body = _subject.OtherStream },
            ReplayKind.Refused => new UpstreamScript { End = ScriptEnd.Refused },
            ReplayKind.Page => new UpstreamScript { ContentType = "text/html", Body = Page },
            ReplayKind.Empty => UpstreamScript.Json(default),
            _ => Equal(streaming),
        };
    }

    private string StreamType => ContractFormats.Get(_subject.Format.Name).StreamContentType;

    private UpstreamScript First()
    {
        var bytes = _stream.Bytes;
        var cut = bytes.AsMemory(0, @case.Cut);
        var script = new UpstreamScript
        {
            ContentType = _stream.ContentType,
            Body = cut,
            Pause = Pause,
            Pauses = IsPaused ? [.. Enumerable.Range(10, 6).Select(salt => @case.Pick(salt, bytes.Length)).Distinct()] : [],
        };
        return @case.End switch
        {
            StreamEnd.Reset => script with { End = ScriptEnd.Reset },
            StreamEnd.Stall => script with { End = ScriptEnd.Silence },
            StreamEnd.ClientLeaves => script with { End = ScriptEnd.ClientLeaves },
            StreamEnd.Garbage => script with { Body = (byte[])[.. cut.Span, .. Garbage] },
            StreamEnd.GarbageInside => script with { Body = (byte[])[.. cut.Span, .. Garbage, .. bytes.AsSpan(@case.Cut)] },
            StreamEnd.ErrorEvent => script with { Body = (byte[])[.. cut.Span, .. "\n\n"u8, .. _subject.Format.ErrorEvent] },
            StreamEnd.ErrorThenClientLeaves => script with { Body = (byte[])[.. cut.Span, .. _subject.Format.ErrorEvent], End = ScriptEnd.ClientLeavesAtEnd },
            StreamEnd.Doubled => script with { Body = (byte[])[.. cut.Span, .. bytes.AsSpan(Boundary(-1)..@case.Cut), .. bytes.AsSpan(@case.Cut)] },
            StreamEnd.LeftOut => script with { Body = (byte[])[.. cut.Span, .. bytes.AsSpan(Boundary(1))] },
            _ => script,
        };
    }

    /// <summary>The end of the event so many events away from the cut.</summary>
    private int Boundary(int away)
    {
        var ends = _subject.Boundaries;
        var at = Enumerable.Range(0, ends.Count).Last(i => ends[i] <= @case.Cut);
        return ends[Math.Clamp(at + away, 0, ends.Count - 1)];
    }

    private UpstreamScript Equal(bool streaming) => Replay(streaming, @case.Pick(5, 2) == 0 ? _subject.Answer : _subject.OtherAnswer);

    private UpstreamScript Replay(bool streaming, byte[] answer) => streaming
        ? new UpstreamScript { ContentType = _stream.ContentType, Body = _subject.OtherStream }
        : UpstreamScript.Json(answer);

    private UpstreamScript Truncated(bool streaming) => streaming
        ? new UpstreamScript { ContentType = StreamType, Body = Part(_subject.OtherStream), End = ScriptEnd.Reset }
        : UpstreamScript.Json(Part(_subject.OtherAnswer));

    private UpstreamScript Error(int status) => new() { Status = status, ContentType = "application/json", Body = _subject.Format.ErrorBody };

    private byte[] Picked(IReadOnlyList<byte[]> answers) => answers[@case.Pick(6, answers.Count)];

    private ReadOnlyMemory<byte> Part(ReadOnlyMemory<byte> whole) => whole[..@case.Pick(7, whole.Length)];
}
