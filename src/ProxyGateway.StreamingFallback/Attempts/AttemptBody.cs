using System.Net;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// The request body of one attempt: for YARP a stream like any other, for the HTTP client bytes that are all there, so that
/// head and body leave together where YARP alone would send the head first.
/// </summary>
internal sealed class AttemptBody : MemoryStream
{
    public AttemptBody(ArraySegment<byte> bytes)
        : base(bytes.Array ?? [], bytes.Offset, bytes.Count, writable: false) => Content = new WholeContent(bytes);

    public WholeContent Content { get; }

    /// <summary>The same bytes as the content of a call. Safe to revoke from any thread.</summary>
    internal sealed class WholeContent(ArraySegment<byte> bytes) : HttpContent
    {
        private const int Idle = 0;
        private const int Sending = 1;
        private const int Revoked = 2;

        private int _state;

        /// <summary>False while a call still sends: the bytes' memory must then not be used for anything else. After true nobody sends them any more.</summary>
        public bool TryRevoke() => Interlocked.CompareExchange(ref _state, Revoked, Idle) != Sending;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            if (Interlocked.CompareExchange(ref _state, Sending, Idle) != Idle)
            {
                throw new InvalidOperationException("The attempt is over, its body must not be sent.");
            }

            try
            {
                await stream.WriteAsync(bytes, cancellationToken);
            }
            finally
            {
                Volatile.Write(ref _state, Idle);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Count;
            return true;
        }
    }
}
