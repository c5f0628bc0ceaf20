using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// Keeps a streaming client from giving up: headers and a beat at <c>CommitAfter</c> at the latest, then a beat in each
/// interval for as long as nobody delivers.
/// </summary>
internal sealed class Heartbeat : IDisposable
{
    private readonly ChatExchange _exchange;
    private readonly ITimer _timer;
    private bool _ended;

    public Heartbeat(ChatExchange exchange)
    {
        _exchange = exchange;
        _timer = exchange.Time.CreateTimer(
            static state => ((Heartbeat)state!).Beat(), this, exchange.Limits.CommitAfter, exchange.Limits.HeartbeatInterval);
    }

    /// <summary>A stream that was delivering has failed: the first beat comes one interval from now.</summary>
    public void Restart()
    {
        _exchange.Client.YieldTurn();
        _timer.Change(_exchange.Limits.HeartbeatInterval, _exchange.Limits.HeartbeatInterval);
    }

    public void Dispose()
    {
        _ended = true;
        _timer.Dispose();
    }

    private void Beat()
    {
        if (_ended)
        {
            return;
        }

        using var bytes = new PooledBuffer();
        var format = _exchange.Route.Format;
        format.WriteHeartbeat(_exchange.Delivered, bytes);
        // The buffer goes back when this returns, so the beat gets its own copy; there is one in ten seconds.
        _ = _exchange.Client.BeatAsync(format.StreamContentType, headers => _exchange.SetHeaders(headers, null), bytes.Span.ToArray());
    }
}
