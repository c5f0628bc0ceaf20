using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ClientStream;

/// <summary>
/// The only place that writes to the client: commits once, beats while nothing is delivered, ends once. Holds the server's own
/// features, because an attempt puts its own in their place. One attempt or recovery writes at a time; the heartbeat comes from
/// a timer and is kept apart from them by <see cref="_turn"/>.
/// </summary>
internal sealed class ClientResponse
{
    private const int Piece = 64 * 1024;
    private const int Http2InternalError = 2;
    private const int Http3InternalError = 0x102;

    /// <summary>
    /// A reset overtakes what is still queued here, and makes clients throw away what they have received and not yet read. The
    /// event itself is out at once, so the pause delays nobody; it must outlast a busy client's next read.
    /// </summary>
    private static readonly TimeSpan ResetPause = TimeSpan.FromMilliseconds(500);

    private readonly HttpContext _context;
    private readonly TimeProvider _time;
    private readonly IAnswerHeaders _headers;
    private readonly IHttpResponseFeature _response;
    private readonly IHttpResponseBodyFeature _body;
    private readonly IHttpResetFeature? _reset;
    private PipeWriter? _writer;
    private int _turn;
    private Task _beat = Task.CompletedTask;

    public ClientResponse(HttpContext context, TimeProvider time, IAnswerHeaders headers)
    {
        (_context, _time, _headers) = (context, time, headers);
        // By type, not by type argument: a feature collection is asked for a generic method at a price.
        var features = context.Features;
        _response = (IHttpResponseFeature)features[typeof(IHttpResponseFeature)]!;
        _body = (IHttpResponseBodyFeature)features[typeof(IHttpResponseBodyFeature)]!;
        _reset = ResetOf(context);
        Aborted = context.RequestAborted;
    }

    private enum Turn
    {
        Waiting,
        Beating,
        Writing,
    }

    /// <summary>Set when the client has left.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>The server's own; whoever writes goes through this class.</summary>
    public IHttpResponseFeature Response => _response;

    /// <summary>Whether the status and headers are spent.</summary>
    public bool Committed { get; private set; }

    /// <summary>Whether a heartbeat went out.</summary>
    public bool HasBeaten { get; private set; }

    /// <summary>Bytes of the answer handed to the server, headers excluded.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Valid once it is one's turn and <see cref="Committed"/> is set.</summary>
    public PipeWriter Writer => _writer ??= _body.Writer;

    /// <summary>What resets the client's stream; null where its protocol has none. What is not there is looked for to the end of two collections, so HTTP/1.1 is not asked.</summary>
    public static IHttpResetFeature? ResetOf(HttpContext context) =>
        HttpProtocol.IsHttp11(context.Request.Protocol) ? null : (IHttpResetFeature?)context.Features[typeof(IHttpResetFeature)];

    /// <summary>Takes the turn to write from the heartbeat. Completes at once unless a beat is on its way.</summary>
    public async ValueTask TakeTurnAsync()
    {
        while (Interlocked.CompareExchange(ref _turn, (int)Turn.Writing, (int)Turn.Waiting) == (int)Turn.Beating)
        {
            await _beat;
        }
    }

    /// <summary>Lets the heartbeat go on: nobody writes for a while.</summary>
    public void YieldTurn() => Interlocked.CompareExchange(ref _turn, (int)Turn.Waiting, (int)Turn.Writing);

    /// <summary>
    /// Sets the status and headers (<paramref name="upstream"/>'s, where an upstream answers, and the gateway's own); they go out with
    /// the first flush. Does nothing and says false where that was done before.
    /// </summary>
    public bool Commit(int status, HeaderDictionary? upstream)
    {
        if (Committed)
        {
            return false;
        }

        Committed = true;
        _response.StatusCode = status;
        _headers.SetHeaders(_response.Headers, upstream);
        return true;
    }

    /// <summary>As <see cref="Commit"/>, for a stream.</summary>
    public void CommitStream(string contentType, HeaderDictionary? upstream)
    {
        if (!Commit(StatusCodes.Status200OK, upstream))
        {
            return;
        }

        _body.DisableBuffering();
        var headers = _response.Headers;
        headers.ContentLength = null;
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = "no-cache";
        }

        if (!IsStream(headers.ContentType, contentType))
        {
            headers.ContentType = contentType;
        }
    }

    /// <summary>Counts bytes that were written to <see cref="Writer"/> directly.</summary>
    public void Count(long bytes) => BytesWritten += bytes;

    public ValueTask<FlushResult> FlushAsync() => Writer.FlushAsync(Aborted);

    /// <summary>Writes and flushes. Takes it that it is one's turn.</summary>
    /// <remarks>In one call: what is written before the headers have left and flushed later the server sets aside and copies once more.</remarks>
    public ValueTask<FlushResult> WriteAndFlushAsync(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return FlushAsync();
        }

        BytesWritten += bytes.Length;
        return Writer.WriteAsync(bytes, Aborted);
    }

    /// <summary>Sends one heartbeat, made by <paramref name="writeBeat"/> when it is its turn, unless somebody writes or the client has left. Never throws.</summary>
    public Task BeatAsync(string contentType, Action<IBufferWriter<byte>> writeBeat)
    {
        if (Aborted.IsCancellationRequested
            || Interlocked.CompareExchange(ref _turn, (int)Turn.Beating, (int)Turn.Waiting) != (int)Turn.Waiting)
        {
            return Task.CompletedTask;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _beat = done.Task;
        return SendAsync();

        async Task SendAsync()
        {
            try
            {
                CommitStream(contentType, upstream: null);
                using var beat = new PooledBuffer();
                writeBeat(beat);
                HasBeaten |= beat.Length > 0;
                await WriteAndFlushAsync(beat.Memory);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
            {
                // The client has left; whoever writes next finds out.
            }
            finally
            {
                Volatile.Write(ref _turn, (int)Turn.Waiting);
                done.SetResult();
            }
        }
    }

    /// <summary>A whole answer with its length known. <paramref name="more"/> changes the headers at last.</summary>
    public async Task SendAsync(int status, HeaderDictionary? upstream, ReadOnlyMemory<byte> body, Action<IHeaderDictionary>? more = null)
    {
        await TakeTurnAsync();
        if (Commit(status, upstream))
        {
            more?.Invoke(_response.Headers);
            if (status is >= 200 and not StatusCodes.Status204NoContent and not StatusCodes.Status304NotModified)
            {
                _response.Headers.ContentLength = body.Length;
            }
        }

        await WriteAsync(body);
    }

    /// <summary>Writes and flushes what may be large, piece by piece: the server would otherwise hold all of it a second time.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        do
        {
            var piece = bytes[..Math.Min(bytes.Length, Piece)];
            await WriteAndFlushAsync(piece);
            bytes = bytes[piece.Length..];
        }
        while (!bytes.IsEmpty);
    }

    /// <summary>
    /// The loud ending: what is in <paramref name="errorEvent"/>, flushed, then the end of the body without its terminator. On
    /// HTTP/1.1 that takes an exception through the server, for an abort would overtake the event; on HTTP/2 a reset. On HTTP/1.0
    /// (nginx speaks it to its upstreams unless told otherwise) the body ends with the connection, and only its reset says that something is missing.
    /// </summary>
    public async Task TerminateAsync(PooledBuffer? errorEvent)
    {
        await TakeTurnAsync();
        try
        {
            await WriteAndFlushAsync(errorEvent?.Memory ?? default);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        var endsWithConnection = HttpProtocol.IsHttp10(_context.Request.Protocol);
        if (_reset is null && !endsWithConnection)
        {
            throw StreamTerminatedException.Instance;
        }

        await Task.Delay(ResetPause, _time, CancellationToken.None);
        if (endsWithConnection)
        {
            _context.Abort();
            return;
        }

        _reset!.Reset(HttpProtocol.IsHttp3(_context.Request.Protocol) ? Http3InternalError : Http2InternalError);
    }

    private static bool IsStream(string? contentType, string expected) =>
        contentType is not null && contentType.StartsWith(expected, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Says which headers an answer has.</summary>
internal interface IAnswerHeaders
{
    /// <summary>Sets the answer's headers: the upstream's where there are some, then the gateway's own.</summary>
    void SetHeaders(IHeaderDictionary headers, HeaderDictionary? upstream);
}
