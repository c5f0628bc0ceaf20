using ProxyGateway.StreamingFallback.ChatFormats.AgentApi;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>
/// A beat in each interval in which nothing was sent: an agent that thinks, or is away, is silent for longer than what stands between
/// it and the client will bear. Nothing is paid per event.
/// </summary>
internal sealed class IdleBeat : IDisposable
{
    private readonly AgentExchange _exchange;
    private readonly ITimer _timer;
    private long _seen;
    private volatile bool _ended;

    public IdleBeat(AgentExchange exchange)
    {
        _exchange = exchange;
        var interval = exchange.Limits.HeartbeatInterval;
        _timer = exchange.Time.CreateTimer(static state => ((IdleBeat)state!).Beat(), this, interval, interval);
    }

    public void Dispose()
    {
        _ended = true;
        _timer.Dispose();
    }

    private void Beat()
    {
        var client = _exchange.Client;
        var written = client.BytesWritten;
        if (written == Interlocked.Exchange(ref _seen, written) && !_ended && client.Committed)
        {
            _ = client.BeatAsync("text/event-stream", static output => System.Buffers.BuffersExtensions.Write(output, AgentErrors.Heartbeat));
        }
    }
}
