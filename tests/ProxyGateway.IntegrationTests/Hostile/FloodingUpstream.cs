using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>
/// An upstream that sends one head and then the same bytes over and over, as fast as they are taken, and counts them. Keeps
/// nothing, so that what it sends may be more than any memory.
/// </summary>
internal sealed class FloodingUpstream : IAsyncDisposable
{
    /// <summary>Small, so that what the kernel holds between two processes stays so.</summary>
    private const int KernelBuffer = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connections = [];
    private readonly byte[] _head;
    private readonly byte[] _piece;
    private readonly long _limit;
    private readonly Task _accepting;
    private long _sent;
    private int _open;

    /// <param name="head">Status line, headers and the beginning of the body.</param>
    /// <param name="piece">What is repeated.</param>
    /// <param name="limit">Bytes per connection, after which it closes.</param>
    public FloodingUpstream(string head, byte[] piece, long limit)
    {
        (_head, _piece, _limit) = (Encoding.Latin1.GetBytes(head), piece, limit);
        _listener.Start(1024);
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>Bytes taken by the peers' kernels or by ours, over all connections.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public int Open => Volatile.Read(ref _open);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                _connections.Add(Task.Run(() => FloodAsync(socket)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task FloodAsync(Socket socket)
    {
        using var owned = socket;
        socket.SendBufferSize = KernelBuffer;
        Interlocked.Increment(ref _open);
        try
        {
            await socket.ReceiveAsync(new byte[64 * 1024], _stop.Token);
            await socket.SendAsync(_head, _stop.Token);
            for (long sent = 0; sent < _limit; sent += _piece.Length)
            {
                await socket.SendAsync(_piece, _stop.Token);
                Interlocked.Add(ref _sent, _piece.Length);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The peer has had enough.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
