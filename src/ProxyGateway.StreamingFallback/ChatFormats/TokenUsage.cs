namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>Tokens that an upstream says a call took, cached input and reasoning included. Null where it does not say: nothing is estimated.</summary>
internal readonly record struct TokenUsage
{
    // Counted from one, so that nothing is the default, and a stream holds half of what two nullable numbers take.
    private readonly long _input;
    private readonly long _output;

    public TokenUsage(long? input, long? output) => (_input, _output) = (1 + input ?? 0, 1 + output ?? 0);

    public long? Input => _input == 0 ? null : _input - 1;

    public long? Output => _output == 0 ? null : _output - 1;

    public bool IsReported => Input is not null || Output is not null;

    /// <summary>This usage after an event that reported <paramref name="later"/>: counts of one stream are cumulative, the last one holds.</summary>
    public TokenUsage Then(TokenUsage later) => new(later.Input ?? Input, later.Output ?? Output);
}
