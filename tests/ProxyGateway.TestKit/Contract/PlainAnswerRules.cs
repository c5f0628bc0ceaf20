namespace ProxyGateway.TestKit.Contract;

/// <summary>Rules on answers that are no event stream: HTTP errors and whole answers.</summary>
internal static class PlainAnswerRules
{
    public static void CheckError(Transcript transcript, IContractFormat format, List<AttemptReading> attempts, ViolationList violations)
    {
        var client = transcript.Client;
        if (client.Ending == ClientEnding.ClientLeft)
        {
            return;
        }

        if (client.Ending != ClientEnding.Clean)
        {
            violations.Add(3, $"an HTTP error that ends with {client.Ending}");
        }

        if (attempts.Count > 0 && attempts[^1] is { CanBeFailed: false } && !transcript.GatewayGaveUp)
        {
            violations.Add(2, "an HTTP error although the last attempt answered whole");
            return;
        }

        var relayed = attempts.LastOrDefault(a => a.Attempt.Status == client.Status)?.Attempt;
        var isClientError = client.Status is >= 400 and < 500 and not (408 or 429);
        if (isClientError && relayed is not null && ReferenceEquals(relayed, attempts[^1].Attempt))
        {
            if (!relayed.Body.AsSpan().SequenceEqual(client.Body))
            {
                violations.Add(15, "the upstream's own answer to the client was changed");
            }
        }
        else if (!format.IsErrorBody(client.Body) && relayed?.Body.AsSpan().SequenceEqual(client.Body) != true)
        {
            violations.Add(3, "an HTTP error in a form that clients of the format do not read");
        }
    }

    public static void CheckWhole(Transcript transcript, IContractFormat format, ContractRequest request, List<AttemptReading> attempts, ViolationList violations)
    {
        var client = transcript.Client;
        if (client.Ending == ClientEnding.ClientLeft)
        {
            return;
        }

        if (client.Ending != ClientEnding.Clean)
        {
            violations.Add(3, $"a whole answer that ends with {client.Ending}");
            return;
        }

        if (request.Streaming && !transcript.JsonAllowed)
        {
            violations.Add(3, "the client asked for a stream and got none: most clients read that as an empty answer");
            return;
        }

        var exact = attempts.Any(a => a.Attempt.Status is >= 200 and < 300 && a.Attempt.Ending == AttemptEnding.Clean && a.Attempt.Body.AsSpan().SequenceEqual(client.Body));
        if (exact && !request.Streaming)
        {
            return;
        }

        var answer = attempts.LastOrDefault(a => a.Answer is not null)?.Answer;
        if (answer is null)
        {
            violations.Add(4, "an answer that no attempt gave");
        }
        else if (!exact)
        {
            violations.Add(format.ReadAnswer(client.Body) is { } got && Same(got, answer) ? 2 : 5, "the answer is not the one the attempt gave");
        }
    }

    private static bool Same(DecodedMessage one, DecodedMessage other) =>
        one.Finishes.SequenceEqual(other.Finishes)
        && one.Blocks.Select(b => (b.Key, b.Value.Text.ToString(), b.Value.ToolName.ToString())).SequenceEqual(other.Blocks.Select(b => (b.Key, b.Value.Text.ToString(), b.Value.ToolName.ToString())));
}
