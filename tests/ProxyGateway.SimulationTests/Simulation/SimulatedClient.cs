using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ProxyGateway.SimulationTests.Simulation;

/// <summary>
/// The client's side of one exchange: what a server would have sent, and when. Bytes count once they are flushed, or once the
/// response ended by itself.
/// </summary>
internal sealed class SimulatedClient(SimulatedTime time, bool http2)
    : PipeWriter, IHttpResponseFeature, IHttpResponseBodyFeature, IHttpRequestLifetimeFeature, IHttpResetFeature, IDisposable
{
    private readonly CancellationTokenSource _left = new();
    private byte[] _bytes = new byte[4096];
    private int _written;
    private int _statusCode = StatusCodes.Status200OK;

    public bool IsHttp2 => http2;

    /// <summary>Bytes flushed so far.</summary>
    public int Flushed { get; private set; }

    public int Unflushed => _written - Flushed;

    /// <summary>When a flush sent something, and how much had been sent then.</summary>
    public List<(TimeSpan At, int Length)> Flushes { get; } = [];

    public bool HasStarted { get; private set; }

    public int? ResetCode { get; private set; }

    public bool HasLeft => _left.IsCancellationRequested;

    public int StatusCode
    {
        get => _statusCode;
        set => _statusCode = HasStarted ? throw new InvalidOperationException("The status was set after the response had started.") : value;
    }

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public Stream Body { get => Stream; set => throw new NotSupportedException(); }

    public Stream Stream => AsStream(leaveOpen: true);

    public PipeWriter Writer => this;

    public CancellationToken RequestAborted { get => _left.Token; set => throw new NotSupportedException(); }

    public byte[] FlushedBytes => _bytes[..Flushed];

    public byte[] WrittenBytes => _bytes[.._written];

    public void Leave() => _left.Cancel();

    public void Reset(int errorCode) => ResetCode ??= errorCode;

    /// <summary>Of a client that has left nothing is lost.</summary>
    public void Abort()
    {
        if (!_left.IsCancellationRequested)
        {
            throw new InvalidOperationException("The connection was aborted: an abort overtakes what was flushed before it.");
        }
    }

    public override void Advance(int bytes) => _written += ResetCode is null ? bytes : throw new InvalidOperationException("A write after the reset.");

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(_written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(_written);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!HasStarted)
        {
            HasStarted = true;
            (Headers as HeaderDictionary)!.IsReadOnly = true;
        }

        Flushed = _written;
        Flushes.Add((time.Now, Flushed));
        return default;
    }

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }

    public void DisableBuffering()
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => FlushAsync(cancellationToken).AsTask();

    public Task CompleteAsync() => throw new NotSupportedException();

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public void OnStarting(Func<object, Task> callback, object state)
    {
    }

    public void OnCompleted(Func<object, Task> callback, object state)
    {
    }

    public void Dispose() => _left.Dispose();

    private void Reserve(int sizeHint)
    {
        if (_bytes.Length - _written < Math.Max(sizeHint, 1))
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _written + sizeHint));
        }
    }
}
