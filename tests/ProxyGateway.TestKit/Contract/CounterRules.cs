namespace ProxyGateway.TestKit.Contract;

/// <summary>Rule 14: what was counted is what happened.</summary>
internal static class CounterRules
{
    public static void Check(Transcript transcript, ViolationList violations)
    {
        if (transcript.Counters is not { } counters)
        {
            return;
        }

        Sum("outcomes of exchanges", counters.ExchangesByOutcome, counters.ExchangesStarted, counters.KnownOutcomes, violations);
        Sum("results of attempts", counters.AttemptsByResult, counters.AttemptsStarted, counters.KnownResults, violations);
        if (counters.ExchangesStarted == 1 && counters.AttemptsStarted != transcript.Attempts.Count)
        {
            violations.Add(14, $"{counters.AttemptsStarted} attempts were counted and {transcript.Attempts.Count} made");
        }
    }

    private static void Sum(string what, IReadOnlyDictionary<string, long> parts, long whole, IReadOnlyCollection<string> known, ViolationList violations)
    {
        if (parts.Values.Sum() != whole)
        {
            violations.Add(14, $"{parts.Values.Sum()} {what} for {whole} begun");
        }

        foreach (var name in parts.Keys)
        {
            if (known.Count > 0 && !known.Contains(name))
            {
                violations.Add(14, $"`{name}` is not in the closed list of {what}");
            }
        }
    }
}
