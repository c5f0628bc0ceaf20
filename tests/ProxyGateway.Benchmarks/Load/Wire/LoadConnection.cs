using System.Net;
using System.Net.Sockets;

namespace ProxyGateway.Benchmarks.Load.Wire;

/// <summary>One client connection: sends prebuilt requests, counts tildes, knows an answer's end by its last bytes.</summary>
internal sealed class LoadConnection(int bufferSize) : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[bufferSize];
    private readonly byte[] _lastBytes = new byte[8];
    private long _events;

    /// <summary>Content events received so far.</summary>
    public long Events => Volatile.Read(ref _events);

    public Task ConnectAsync(int port) => _socket.ConnectAsync(IPAddress.Loopback, port);

    public async Task SendAsync(ReadOnlyMemory<byte> request)
    {
        while (!request.IsEmpty)
        {
            request = request[await _socket.SendAsync(request)..];
        }
    }

    /// <summary>Receives until the first content event.</summary>
    public async Task ReceiveFirstEventAsync()
    {
        _lastBytes.AsSpan().Clear();
        var before = Events;
        while (Events == before)
        {
            Take(await ReceiveAsync(), null);
        }
    }

    /// <summary>Receives to the end of a chunked stream or of an answer.</summary>
    public async Task ReceiveToEndAsync()
    {
        _lastBytes.AsSpan().Clear();
        await ReceiveRestAsync();
    }

    /// <summary>As <see cref="ReceiveToEndAsync"/>, where a part was received already.</summary>
    public async Task ReceiveRestAsync()
    {
        while (!EndsWith(WireText.LastChunk) && !EndsWith(WireText.AnswerEnd))
        {
            Take(await ReceiveAsync(), null);
        }
    }

    /// <summary>Receives until this connection is disposed or the other side ends it.</summary>
    public async Task ReceiveForEverAsync(DelayHistogram? delays)
    {
        try
        {
            while (true)
            {
                Take(await ReceiveAsync(), delays);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or EndOfStreamException)
        {
        }
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask<int> ReceiveAsync()
    {
        var read = await _socket.ReceiveAsync(_buffer.AsMemory());
        return read > 0 ? read : throw new EndOfStreamException("The proxy closed the connection in the middle of an answer.");
    }

    private void Take(int read, DelayHistogram? delays)
    {
        var bytes = _buffer.AsSpan(0, read);
        var kept = Math.Min(read, _lastBytes.Length);
        _lastBytes.AsSpan(kept).CopyTo(_lastBytes);
        bytes[^kept..].CopyTo(_lastBytes.AsSpan(_lastBytes.Length - kept));
        if (delays is null)
        {
            Volatile.Write(ref _events, _events + bytes.Count(WireText.Mark));
            return;
        }

        var from = 0;
        while (bytes[from..].IndexOf(WireText.Mark) is >= 0 and var next)
        {
            if (WireText.Delay(bytes, from + next) is { } delay)
            {
                delays.Add(delay);
            }

            from += next + 1;
            Volatile.Write(ref _events, _events + 1);
        }
    }

    private bool EndsWith(ReadOnlySpan<byte> end) => _lastBytes.AsSpan().EndsWith(end);
}
