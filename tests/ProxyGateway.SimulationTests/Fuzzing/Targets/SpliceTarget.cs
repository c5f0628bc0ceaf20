using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
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
    private static readonly GatewayError Error = new(502, "upstream_truncated", "The upstream ended in mid-answer.");

    public override string Name => "splices";

    public override int ShortRuns => 2000;

    public override FuzzInput Make(FuzzRandom random)
    {
        var choices = random.Next();
        var subject = Subjects.Pick(new FuzzRandom(choices));
        var donor = Subjects.Donor(subject, random);
        var stream = subject.Stream.Bytes;
        if (random.OneIn(2))
        {
            stream = Mutator.Stream(stream, donor.Stream.Bytes, Subjects.Format(subject).Framing == StreamFraming.JsonLines, random);
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
            answer = Mutator.Document(answer, donor.Answer, random);
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
        using var run = new Guarded(subject, subject.Stream.MaxEventBytes, subject.Stream.MaxDeliveredBytes).Run(stream, random, clean ? FaultKind.None : FaultKind.ConnectionReset);
        List<AttemptRecord> attempts =
        [
            new() { Body = stream, ContentType = format.StreamContentType, Ending = clean ? AttemptEnding.Clean : AttemptEnding.Broken, Terminal = subject.Stream.Terminal },
        ];
        var client = new ClientRecord { ContentType = format.StreamContentType };
        if (run.Guard.State == GuardState.Done)
        {
            return Judge(subject, attempts, client with { Body = run.Output.ToArray() });
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

        if (verdict == AnswerVerdict.Usable != (format.CheckAnswer(request, answer) == AnswerVerdict.Usable) && verdict != AnswerVerdict.Divergent && attempts.Count > 1)
        {
            return $"the answer is {verdict} to one and {format.CheckAnswer(request, answer)} to another";
        }

        if (verdict == AnswerVerdict.Usable)
        {
            return Parsed(rest, format.Framing) ?? Judge(subject, attempts, client with { Body = [.. run.Output, .. rest] });
        }

        if (delivered is null)
        {
            // An HTTP error, which holds nothing of either attempt.
            return null;
        }

        var ending = Cuts.Written(o => format.WriteErrorEvent(Error, delivered, o));
        return Parsed(ending, format.Framing) ?? Judge(subject, attempts, client with { Body = [.. run.Output, .. ending], Ending = ClientEnding.WithoutTerminator });
    }

    private static string? Judge(GridSubject subject, List<AttemptRecord> attempts, ClientRecord client)
    {
        var violations = StreamContract.Check(new Transcript
        {
            Format = subject.Format.Name,
            RequestBody = subject.Stream.Request,
            RequestTarget = subject.Format.Target,
            Attempts = attempts,
            Client = client,
            Limits = new ContractLimits { MaxEventBytes = subject.Stream.MaxEventBytes, MaxDeliveredBytes = subject.Stream.MaxDeliveredBytes },
        });
        return violations.Count == 0 ? null : $"{subject.Format.Name}: {string.Join("; ", violations)}";
    }

    /// <summary>Whole events, each of them JSON, the same for both parsers.</summary>
    private static string? Parsed(byte[] written, StreamFraming framing)
    {
        if (framing == StreamFraming.JsonLines)
        {
            return written.Length > 0 && written[^1] != '\n' ? "the last line has no end"
                : Encoding.UTF8.GetString(written).Split('\n', StringSplitOptions.RemoveEmptyEntries).All(IsJson) ? null : "a line is no JSON";
        }

        var blocks = SseBlock.ReadAll(written, out var remainder);
        if (remainder != written.Length)
        {
            return $"{written.Length - remainder} bytes after the last event";
        }

        var own = blocks.Where(b => b.HasData).Select(b => (b.EventName.Length == 0 ? SseParser.EventTypeDefault : b.EventName, Encoding.UTF8.GetString(b.Data))).ToList();
        using var stream = new MemoryStream(written);
        var other = SseParser.Create(stream, (_, data) => Encoding.UTF8.GetString(data)).Enumerate().Select(e => (e.EventType, e.Data)).ToList();
        return !own.SequenceEqual(other) ? "two parsers read different events" : own.TrueForAll(e => e.Item2 == "[DONE]" || IsJson(e.Item2)) ? null : "an event is no JSON";
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1024 });
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
