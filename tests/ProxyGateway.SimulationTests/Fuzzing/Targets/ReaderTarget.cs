using System.Text.Json;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>
/// The readers of all formats behind the guard. Whatever a stream says and however it comes: nothing throws, the same bytes go
/// through and the verdict is the same, no more is kept than may be, what is not passed on has left no trace, and nothing goes
/// through that the upstream did not send.
/// </summary>
internal sealed class ReaderTarget : FuzzTarget
{
    private const EventMeaning Dropped = EventMeaning.Error | EventMeaning.Malformed | EventMeaning.BrokenToolCall | EventMeaning.Contradiction;

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1000 };

    private static readonly int[] Limits = [0, 8, 100, 1 << 20];

    private readonly PooledBuffer _scratch = new();

    public override string Name => "readers";

    public override int ShortRuns => 2000;

    public override FuzzInput Make(FuzzRandom random)
    {
        var choices = random.Next();
        var subject = Subjects.Pick(new FuzzRandom(choices));
        var stream = random.OneIn(30) ? Noise(random) : Mutator.Stream(subject.Stream.Bytes, Subjects.Donor(subject, random).Stream.Bytes, IsLines(subject), random);
        return new FuzzInput(choices, stream);
    }

    public override string? Check(FuzzInput input)
    {
        var random = input.Random;
        var subject = Subjects.Pick(random);
        var stream = input.Parts[0];
        // A line end of CR LF that is cut between two reads may make an event one byte longer than the limit, or not.
        var maxEvent = random.OneIn(4) && !stream.Contains((byte)'\r') ? 200 + random.Below(600) : 1 << 20;
        var maxDelivered = random.Pick(Limits);
        var end = random.OneIn(2) ? FaultKind.None : FaultKind.ConnectionReset;
        using var whole = new Guarded(subject, maxEvent, maxDelivered, subject.Stream.Terminal).Run(stream, null, end);
        using var pieces = new Guarded(subject, maxEvent, maxDelivered, subject.Stream.Terminal).Run(stream, random, end);
        return Compare(whole, pieces)
            ?? Bounded(whole, maxDelivered) ?? Bounded(pieces, maxDelivered)
            ?? Untouched(whole, stream)
            ?? Untraced(subject, stream, maxDelivered);
    }

    private static bool IsLines(GridSubject subject) => Subjects.Format(subject).Framing == StreamFraming.JsonLines;

    private static byte[] Noise(FuzzRandom random)
    {
        var noise = new byte[random.Below(300)];
        foreach (ref var b in noise.AsSpan())
        {
            b = (byte)random.Next();
        }

        return noise;
    }

    /// <summary>Or the end marker, or nothing.</summary>
    private static bool IsJson(ReadOnlySpan<byte> data)
    {
        if (data.Trim(" \t\r\n"u8).IsEmpty || data.TrimEnd((byte)' ').SequenceEqual("[DONE]"u8))
        {
            return true;
        }

        try
        {
            JsonElement.Parse(data, Deep);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string? Compare(Guarded whole, Guarded pieces)
    {
        if (!whole.Output.SequenceEqual(pieces.Output))
        {
            return $"in pieces {pieces.Output.Length} bytes went through or others, not {whole.Output.Length}";
        }

        return Verdict(whole) == Verdict(pieces) ? null : $"in pieces the verdict is {Verdict(pieces)}, not {Verdict(whole)}";
    }

    private static string Verdict(Guarded run) =>
        $"{run.Guard.State} {run.Guard.Fault} {run.Guard.ContentEvents} {run.Guard.MalformedEvents} {run.Guard.Usage} {State(run.Reader)} {run.Reader.Complaint}";

    private static string State(ChatStreamReader reader) =>
        $"{reader.Delivered} {(reader.CanSplice ? "can be spliced" : "cannot be spliced")} {(reader.IsFinished ? "finished" : "")} {(reader.IsDone ? "done" : "")}";

    private static string? Bounded(Guarded run, int maxDelivered) =>
        run.MostKept <= maxDelivered ? null : $"{run.MostKept} bytes were kept of {maxDelivered} allowed";

    /// <summary>Rule 2, as far as it can be said without knowing the format: nothing goes through but what came, in its order.</summary>
    private static string? Untouched(Guarded run, byte[] stream)
    {
        if (run.Guard.State != GuardState.Faulted)
        {
            return null;
        }

        // A body that ends cleanly may have lacked its last line ends.
        if (run.Guard.MalformedEvents == 0 && !stream.AsSpan().StartsWith(run.Output.TrimEnd((byte)'\n')))
        {
            return "what went through is not the stream's beginning";
        }

        return run.Output.Length <= stream.Length + 2 ? null : "more went through than came";
    }

    /// <summary>What was not passed on has left no trace: a reader that never saw it is in the same state, and goes on the same.</summary>
    private string? Untraced(GridSubject subject, byte[] stream, int maxDelivered)
    {
        var format = Subjects.Format(subject);
        var request = Subjects.Request(subject);
        using var all = format.NewReader(request, maxDelivered, TerminalProfile.Auto);
        using var passed = format.NewReader(request, maxDelivered, TerminalProfile.Auto);
        var framer = new EventFramer(format.Framing);
        var dropped = 0;
        var isFirst = true;
        for (ReadOnlySpan<byte> rest = stream; framer.FindEventEnd(rest) is > 0 and var length; rest = rest[length..])
        {
            var e = EventParser.Parse(format.Framing, rest[..length], isFirst, _scratch);
            isFirst = false;
            var meaning = all.Read(e);
            if ((meaning & Dropped) == 0)
            {
                if (e.HasData && !IsJson(e.Data))
                {
                    return $"{format.Name}: a `{meaning}` that is no JSON";
                }

                if (passed.Read(e) is var other && other != meaning)
                {
                    return $"after {dropped} dropped events a `{meaning}` is a `{other}` to who did not see them";
                }
            }
            else if (++dropped > 0 && (meaning & (EventMeaning.Error | EventMeaning.BrokenToolCall | EventMeaning.Contradiction)) != 0)
            {
                break;
            }

            if ((meaning & EventMeaning.Done) != 0)
            {
                break;
            }
        }

        if (dropped == 0)
        {
            return null;
        }

        if (State(all) != State(passed) || all.KeptBytes != passed.KeptBytes)
        {
            return $"a dropped event left a trace: {State(all)}, {all.KeptBytes} kept, not {State(passed)}, {passed.KeptBytes}";
        }

        if (!all.CanSplice || all.Delivered == DeliveredKind.Nothing)
        {
            return null;
        }

        AnswerVerdict one = default, two = default;
        var first = Cuts.Written(o => one = format.Continue(request, all, subject.Answer, o));
        var second = Cuts.Written(o => two = format.Continue(request, passed, subject.Answer, o));
        return one == two && first.AsSpan().SequenceEqual(second) ? null : $"after a dropped event the answer is {one}, not {two}, or goes on otherwise";
    }
}
