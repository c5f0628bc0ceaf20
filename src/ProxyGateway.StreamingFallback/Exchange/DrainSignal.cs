namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>Tells exchanges in flight that the process is about to end: streams that are still open get the error event. Thread-safe.</summary>
public sealed class DrainSignal : IDisposable
{
    private readonly CancellationTokenSource _end = new();

    /// <summary>Set once streams may not go on.</summary>
    public CancellationToken EndStreams => _end.Token;

    /// <summary>Ends all streams in flight with the error event of their format.</summary>
    public void End()
    {
        try
        {
            _end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The timer that calls this fired while the process took itself apart: no stream is left to end.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _end.Dispose();
}
