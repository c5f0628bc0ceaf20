namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// Keeps a streaming client from giving up: headers and a beat at <c>CommitAfter</c> at the latest, then a beat in each
/// interval for as long as nobody delivers.
/// </summary>
internal sealed class Heartbeat : IDisposable
{
    private readonly ChatExchange _exchange;
    private readonly ITimer _timer;
    private volatile bool _ended;
    private bool _suspended;

    public Heartbeat(ChatExchange exchange)
    {
        _exchange = exchange;
        _timer = exchange.Time.CreateTimer(
            static state => ((Heartbeat)state!).Beat(), this, exchange.Limits.CommitAfter, exchange.Limits.HeartbeatInterval);
    }

    /// <summary>Content flows; the timer would only find that there is nothing to do.</summary>
    public void Suspend()
    {
        _suspended = true;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>An attempt has failed: nobody writes now. After content the first beat comes one interval from here.</summary>
    public void Resume()
    {
        _exchange.Client.YieldTurn();
        if (_suspended)
        {
            _suspended = false;
            _timer.Change(_exchange.Limits.HeartbeatInterval, _exchange.Limits.HeartbeatInterval);
        }
    }

    public void Dispose()
    {
        _ended = true;
        _timer.Dispose();
    }

    private void Beat()
    {
        if (!_ended)
        {
            var format = _exchange.Route.Format;
            _ = _exchange.Client.BeatAsync(
                format.StreamContentType,
                headers => _exchange.SetHeaders(headers, null),
                output => format.WriteHeartbeat(_exchange.Delivered, output));
        }
    }
}
