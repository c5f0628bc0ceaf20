namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>Tells exchanges in flight that the process is about to end: streams that are still open get the error event. Thread-safe.</summary>
public sealed class DrainSignal : IDisposable
{
    private readonly CancellationTokenSource _close = new();
    private readonly CancellationTokenSource _end = new();

    /// <summary>Set once the listeners close: streams that never end by themselves end now, others may go on.</summary>
    public CancellationToken CloseEndlessStreams => _close.Token;

    /// <summary>Set once streams may not go on.</summary>
    public CancellationToken EndStreams => _end.Token;

    /// <summary>Ends the streams that would never end by themselves; their clients connect again elsewhere.</summary>
    public void Close() => Cancel(_close);

    /// <summary>Ends all streams in flight with the error event of their format.</summary>
    public void End()
    {
        Cancel(_close);
        Cancel(_end);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _close.Dispose();
        _end.Dispose();
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The timer that calls this fired while the process took itself apart: no stream is left to end.
        }
    }
}
