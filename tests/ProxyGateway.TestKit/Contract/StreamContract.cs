namespace ProxyGateway.TestKit.Contract;

/// <summary>
/// The stream contract as code: what must hold for every answer on a guarded route, whatever the upstream does. Pure; it
/// judges a <see cref="Transcript"/> and says which rules it breaks.
/// </summary>
/// <remarks>
/// Rule 12 is judged as far as a transcript without times shows it (content that had arrived was passed on), rule 9 by the form
/// of heartbeats and by what was left running. Where an attempt's bytes may have been lost under way, both readings are allowed.
/// </remarks>
public static class StreamContract
{
    public static IReadOnlyList<Violation> Check(Transcript transcript)
    {
        var violations = new ViolationList();
        var format = ContractFormats.Get(transcript.Format);
        var request = format.ReadRequest(transcript.RequestBody, transcript.RequestTarget);
        AttemptRules.Check(transcript, format, violations);
        CounterRules.Check(transcript, violations);
        CheckAnswer(transcript, format, request ?? new ContractRequest(false, 1, false), violations);
        return violations.Items;
    }

    private static void CheckAnswer(Transcript transcript, IContractFormat format, ContractRequest request, ViolationList violations)
    {
        var client = transcript.Client;
        if (client.Ending == ClientEnding.TimedOut)
        {
            violations.Add(9, "the answer did not end in the time the test gave it");
            return;
        }

        if (client.Status is not { } status)
        {
            if (client.Ending != ClientEnding.ClientLeft)
            {
                violations.Add(3, "there was no answer at all");
            }

            return;
        }

        var attempts = transcript.Attempts.Select(a => AttemptReading.Read(a, format, request, transcript.Limits)).ToList();
        if (status is < 200 or > 299)
        {
            PlainAnswerRules.CheckError(transcript, format, attempts, violations);
        }
        else if (client.ContentType?.StartsWith(format.StreamContentType, StringComparison.OrdinalIgnoreCase) == true)
        {
            new StreamRules(transcript, format, request, attempts, violations).Check();
        }
        else
        {
            PlainAnswerRules.CheckWhole(transcript, format, request, attempts, violations);
        }
    }
}
