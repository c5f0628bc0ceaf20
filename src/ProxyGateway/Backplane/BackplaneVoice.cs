namespace ProxyGateway.Backplane;

/// <summary>Says in the log whether the backplane is there: when that changes, and never more often than every half minute.</summary>
internal sealed partial class BackplaneVoice(ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(30);

    private bool? _said;
    private long _saidAt;

    public void Tell(bool isUp, StoreAnswer answer)
    {
        if (_said == isUp || (_said is not null && time.GetElapsedTime(_saidAt) < Shortest))
        {
            return;
        }

        (_said, _saidAt) = (isUp, time.GetTimestamp());
        if (isUp)
        {
            Up(logger);
        }
        else
        {
            var reason = BackplaneMetrics.Label(answer.Outcome);
            Down(logger, answer.Code is null ? reason : $"{reason} ({answer.Code})");
        }
    }

    [LoggerMessage(EventId = 1, EventName = "BackplaneUp", Level = LogLevel.Information, Message = "backplane: connected, replicas share what they know")]
    private static partial void Up(ILogger logger);

    [LoggerMessage(EventId = 2, EventName = "BackplaneDown", Level = LogLevel.Warning, Message = "backplane: {Reason}; this replica goes by what it sees itself")]
    private static partial void Down(ILogger logger, string reason);
}
