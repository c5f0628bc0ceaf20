using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>
/// An HTTP/1.1 upstream on a real socket that does, byte by byte, what its scripts say: cuts, resets, stalls and lies that
/// no web server would make.
/// </summary>
public sealed class ScriptedUpstream : UpstreamBase, IAsyncDisposable
{
    private static readonly TimeSpan LingerForPeer = TimeSpan.FromSeconds(2);

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<int, Task> _connections = new();
    private readonly Task _accepting;

    private ScriptedUpstream(TcpListener listener)
    {
        _listener = listener;
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    public override Uri Address { get; }

    /// <summary>Listens on a free port of the loopback address.</summary>
    public static ScriptedUpstream Start(params UpstreamScript[] scripts)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var upstream = new ScriptedUpstream(listener);
        upstream.Enqueue(scripts);
        return upstream;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections.Values).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            var number = ConnectionOpened();
            _connections[number] = Task.Run(() => ServeAsync(socket, number));
        }
    }

    private async Task ServeAsync(Socket socket, int number)
    {
        socket.NoDelay = true;
        using var connection = new Http1Connection(socket);
        try
        {
            var keepAlive = true;
            while (keepAlive && await connection.ReadRequestAsync(_stop.Token).ConfigureAwait(false) is { } request)
            {
                var exchange = Record(number, request.Method, request.Target, request.Headers, request.Body);
                keepAlive = await new Http1ScriptPlayer(connection, exchange).PlayAsync(Next(exchange), _stop.Token).ConfigureAwait(false);
            }

            if (!keepAlive)
            {
                // After our FIN the peer gets the time to read and to close, lest its unread bytes turn the FIN into a reset.
                await connection.PeerLeavesWithinAsync(Task.Delay(LingerForPeer, _stop.Token), _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The test is over, or the peer is.
        }
        finally
        {
            ConnectionClosed();
        }
    }
}

/// <summary>An address where nothing listens: every connection is refused. The port stays taken, so nobody else answers there.</summary>
public sealed class RefusingEndpoint : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RefusingEndpoint()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_socket.LocalEndPoint!).Port}/");
    }

    public Uri Address { get; }

    public void Dispose() => _socket.Dispose();
}
