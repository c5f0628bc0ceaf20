namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>The body of an upstream's answer. Where a read has to wait, what the attempt has passed on until then is flushed first.</summary>
internal sealed class FlushingBody(Stream body, Attempt attempt) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = body.ReadAsync(buffer, cancellationToken);
        attempt.OnRead(waits: !read.IsCompleted);
        if (read.IsCompleted)
        {
            return read;
        }

        var flush = attempt.FlushAsync();
        return flush.IsCompletedSuccessfully ? read : WaitAsync(flush, read);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("An answer is read asynchronously only: a blocked thread would stall other streams.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(ValueTask flush, ValueTask<int> read)
    {
        try
        {
            await flush;
        }
        catch
        {
            // The client is gone. The read is under way all the same, and somebody has to see how it ends.
            attempt.Cancel();
            _ = await read;
            throw;
        }

        return await read;
    }
}
