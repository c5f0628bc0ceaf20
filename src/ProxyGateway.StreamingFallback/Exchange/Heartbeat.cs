namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// Keeps a streaming client from giving up: headers and a beat at <c>CommitAfter</c> at the latest, then a beat in each
/// interval for as long as nobody delivers.
/// </summary>
internal sealed class Heartbeat : IDisposable
{
    private readonly ChatExchange _exchange;
    private ITimer? _timer;
    private volatile bool _ended;

    public Heartbeat(ChatExchange exchange)
    {
        _exchange = exchange;
        _timer = Start(exchange.Limits.CommitAfter);
    }

    /// <summary>Content flows; a timer would only find that there is nothing to do.</summary>
    public void Suspend()
    {
        _timer?.Dispose();
        _timer = null;
    }

    /// <summary>An attempt has failed: nobody writes now. After content the first beat comes one interval from here.</summary>
    public void Resume()
    {
        _exchange.Client.YieldTurn();
        _timer ??= Start(_exchange.Limits.HeartbeatInterval);
    }

    public void Dispose()
    {
        _ended = true;
        _timer?.Dispose();
    }

    private ITimer Start(TimeSpan due) => _exchange.Time.CreateTimer(static state => ((Heartbeat)state!).Beat(), this, due, _exchange.Limits.HeartbeatInterval);

    private void Beat()
    {
        if (!_ended)
        {
            var format = _exchange.Route.Format;
            _ = _exchange.Client.BeatAsync(format.StreamContentType, output => format.WriteHeartbeat(_exchange.Delivered, output));
        }
    }
}
