namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>Tokens that an upstream says a call took, cached input and reasoning included. Null where it does not say: nothing is estimated.</summary>
internal readonly record struct TokenUsage(long? Input, long? Output)
{
    public bool IsReported => Input is not null || Output is not null;

    /// <summary>This usage after an event that reported <paramref name="later"/>: counts of one stream are cumulative, the last one holds.</summary>
    public TokenUsage Then(TokenUsage later) => new(later.Input ?? Input, later.Output ?? Output);
}
