namespace ProxyGateway.StreamingFallback.ClientStream;

/// <summary>
/// Thrown through the server on purpose, after the error event was flushed: the server then closes the connection without the
/// body's terminator, which every client notices. No failure of the gateway; a host may leave it out of its log.
/// </summary>
public sealed class StreamTerminatedException : Exception
{
    internal static readonly StreamTerminatedException Instance = new();

    private StreamTerminatedException()
        : base("A stream was ended without its terminator on purpose; the client got an error event before.")
    {
    }
}
