namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>How an exchange ended. Each exchange has exactly one.</summary>
internal enum ExchangeOutcome
{
    /// <summary>The first attempt gave the whole answer.</summary>
    Completed,

    /// <summary>An attempt failed and the client still got the whole answer.</summary>
    Recovered,

    /// <summary>The client got a part of the answer and the error event.</summary>
    Terminated,

    /// <summary>The client got an HTTP error because every upstream failed.</summary>
    Failed,

    /// <summary>The client got an upstream's own error answer (4xx).</summary>
    Relayed,

    /// <summary>The gateway refused the request without asking an upstream.</summary>
    Rejected,

    /// <summary>The client left before the end.</summary>
    ClientGone,
}

/// <summary>How one upstream call ended. Each attempt has exactly one.</summary>
internal enum AttemptResult
{
    Complete,
    Answer,
    Failed,
    Cancelled,
}

/// <summary>What came of a second attempt beside a late first one. Each has exactly one.</summary>
internal enum HedgeResult
{
    /// <summary>It was the first to have content.</summary>
    Won,

    /// <summary>The first attempt had content sooner after all.</summary>
    Lost,

    /// <summary>Neither had any.</summary>
    Failed,
}

internal static class OutcomeVocabulary
{
    public static string Label(this HedgeResult result) => result switch
    {
        HedgeResult.Won => "won",
        HedgeResult.Lost => "lost",
        HedgeResult.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, null),
    };

    public static string Label(this ExchangeOutcome outcome) => outcome switch
    {
        ExchangeOutcome.Completed => "completed",
        ExchangeOutcome.Recovered => "recovered",
        ExchangeOutcome.Terminated => "terminated",
        ExchangeOutcome.Failed => "failed",
        ExchangeOutcome.Relayed => "relayed",
        ExchangeOutcome.Rejected => "rejected",
        ExchangeOutcome.ClientGone => "client_gone",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null),
    };

    public static string Label(this AttemptResult result) => result switch
    {
        AttemptResult.Complete => "complete",
        AttemptResult.Answer => "answer",
        AttemptResult.Failed => "failed",
        AttemptResult.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, null),
    };
}
