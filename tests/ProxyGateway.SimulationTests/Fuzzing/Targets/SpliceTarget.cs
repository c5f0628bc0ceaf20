using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>
/// Any beginning of a stream, any answer to the replay: what the client then has keeps the stream contract, and the events that the
/// gateway wrote are the same for two parsers that share nothing with it. Joined or refused, but never half.
/// </summary>
internal sealed class SpliceTarget : FuzzTarget
{
    public static readonly GatewayError Error = new(502, "upstream_truncated", "The upstream ended in mid-answer.");

    public override string Name => "splices";

    public override int ShortRuns => 1500;

    public override FuzzInput Make(FuzzRandom random)
    {
        var choices = random.Next();
        var subject = Subjects.Pick(new FuzzRandom(choices));
        var donor = Subjects.Donor(subject, random);
        if (IsJudged(choices) && (donor.Format != subject.Format || Subjects.Request(donor).ChoiceCount + Subjects.Request(subject).ChoiceCount > 2))
        {
            donor = subject;
        }

        var stream = subject.Stream.Bytes;
        var isJudged = IsJudged(choices);
        if (random.OneIn(2))
        {
            var isLines = Subjects.Format(subject).Framing == StreamFraming.JsonLines;
            // The items of Responses have an end that says them whole, so pieces that are lost or turned round before it are the upstream's affair.
            stream = isJudged && subject.Format.Name == "openai-responses" ? Mutator.Noise(stream, random)
                : isJudged ? Mutator.Events(stream, donor.Stream.Bytes, isLines, random) : Mutator.Stream(stream, donor.Stream.Bytes, isLines, random);
        }

        if (!random.OneIn(6))
        {
            stream = stream[..random.Below(stream.Length + 1)];
        }

        var answer = random.Below(10) switch
        {
            0 when subject.Diverging.Count > 0 => random.Pick(subject.Diverging),
            1 when subject.OtherTools.Count > 0 => random.Pick(subject.OtherTools),
            2 => subject.Unfinished,
            3 => donor.Answer,
            4 => subject.OtherAnswer,
            _ => subject.Answer,
        };
        if (random.OneIn(2))
        {
            answer = isJudged ? JsonMutator.Text(answer, random) : Mutator.Document(answer, donor.Answer, random);
        }

        return new FuzzInput(choices, stream, answer);
    }

    public override string? Check(FuzzInput input)
    {
        var random = input.Random;
        var subject = Subjects.Pick(random);
        var (stream, answer) = (input.Parts[0], input.Parts[1]);
        var format = Subjects.Format(subject);
        var request = Subjects.Request(subject);
        var clean = random.OneIn(4);
        using var run = new Guarded(subject, subject.Stream.MaxEventBytes, subject.Stream.MaxDeliveredBytes, subject.Stream.Terminal).Run(stream, random, clean ? FaultKind.None : FaultKind.ConnectionReset);
        format.ReadErrorBody(answer);
        format.IsErrorOfRequest(answer);
        format.ReadUsage(answer);
        List<AttemptRecord> attempts =
        [
            new() { Body = stream, ContentType = format.StreamContentType, Ending = clean ? AttemptEnding.Clean : AttemptEnding.Broken, Terminal = subject.Stream.Terminal },
        ];
        var client = new ClientRecord { ContentType = format.StreamContentType };
        if (run.Guard.State == GuardState.Done)
        {
            return Judge(input, subject, attempts, client with { Body = run.Output.ToArray() });
        }

        if (random.OneIn(8))
        {
            // A heartbeat may take a number that the rest would have had.
            return Beaten(subject, run);
        }

        // As an exchange does: what delivered no content is as if it had not been, and what cannot be compared is not asked again.
        var delivered = run.Guard.BytesPassed > 0 ? run.Reader : null;
        var verdict = AnswerVerdict.Unusable;
        byte[] rest = [];
        if (delivered is not { CanSplice: false })
        {
            rest = Cuts.Written(o => verdict = format.Continue(request, delivered, answer, o));
            attempts.Add(new() { Kind = AttemptKind.NonStreaming, Body = answer, ContentType = "application/json", Ending = AttemptEnding.Clean });
        }

        if (verdict != AnswerVerdict.Usable && rest.Length > 0)
        {
            return $"{verdict}, and yet {rest.Length} bytes were written";
        }

        // Text that is none shows only where it is decoded, so an answer may be good to look at and yet not be made into events.
        if (verdict == AnswerVerdict.Usable && format.CheckAnswer(request, answer) is not AnswerVerdict.Usable and var other)
        {
            return $"the answer is {verdict} to one and {other} to another";
        }

        if (verdict == AnswerVerdict.Usable)
        {
            byte[] body = [.. run.Output, .. rest];
            return Written.Problem(rest, format.Framing) ?? Again(subject, body) ?? Judge(input, subject, attempts, client with { Body = body });
        }

        if (delivered is null)
        {
            // An HTTP error, which holds nothing of either attempt.
            return null;
        }

        var ending = Cuts.Written(o => format.WriteErrorEvent(Error, null, delivered, o));
        return Written.Problem(ending, format.Framing) ?? Judge(input, subject, attempts, client with { Body = [.. run.Output, .. ending], Ending = ClientEnding.WithoutTerminator });
    }

    /// <summary>
    /// Half of the inputs are changed event by event and text by text only: there the checker and the product must agree. Of the
    /// others, with members of any type in any place, nobody can say what they mean; they must do no harm.
    /// </summary>
    private static bool IsJudged(ulong choices) => (choices & 1) == 0;

    /// <summary>A gateway behind this one finds a whole stream. It cannot know of one with fewer choices than were asked for, as an answer may have.</summary>
    private static string? Again(GridSubject subject, byte[] body)
    {
        if (Subjects.Request(subject).ChoiceCount > 1)
        {
            return null;
        }

        using var again = new Guarded(subject, 1 << 24, 1 << 24, TerminalRule.Either).Run(body, null, FaultKind.None);
        return again.Guard.State == GuardState.Done ? null : $"{subject.Name}: what was joined is {again.Guard.State} ({again.Guard.Fault}) to who reads it";
    }

    /// <summary>A heartbeat at any time, with an event behind it, is no event of its own or one that reads as the format's.</summary>
    private static string? Beaten(GridSubject subject, Guarded run)
    {
        var format = Subjects.Format(subject);
        return Written.Problem([.. Cuts.Written(o => format.WriteHeartbeat(run.Guard.BytesPassed > 0 ? run.Reader : null, o)), .. Cuts.Written(o => format.WriteErrorEvent(Error, null, null, o))], format.Framing);
    }

    private static string? Judge(FuzzInput input, GridSubject subject, List<AttemptRecord> attempts, ClientRecord client)
    {
        // A mark inside a stream hides a field from clients, unless the gateway drops what stood in front of it.
        if (!IsJudged(input.Choices) || input.Parts[0].AsSpan(Math.Min(1, input.Parts[0].Length)).IndexOf((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) >= 0
            || attempts.Any(a => Ambiguity.IsIn(a.Body, a.Kind == AttemptKind.NonStreaming, Subjects.Format(subject).Framing)))
        {
            return null;
        }

        var violations = StreamContract.Check(new Transcript
        {
            Format = subject.Format.Name,
            RequestBody = subject.Stream.Request,
            RequestTarget = subject.Format.Target,
            Attempts = attempts,
            Client = client,
            Limits = new ContractLimits { MaxEventBytes = subject.Stream.MaxEventBytes, MaxDeliveredBytes = subject.Stream.MaxDeliveredBytes },
        });
        return violations.Count == 0 ? null : $"{subject.Name}: {string.Join("; ", violations)}";
    }
}
