using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>An HTTP/2 upstream that writes its frames by hand, for what a web server does only when it stops: GOAWAY, while streams run or instead of an answer.</summary>
public sealed class FramedHttp2Upstream : UpstreamBase, IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Http2FrameConnection, Task> _connections = new();
    private readonly Task _accepting;

    private FramedHttp2Upstream()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public override Uri Address => new($"http://{_listener.LocalEndpoint}/");

    /// <summary>Asked for each request's body: true answers it with a GOAWAY that says it was not processed. Such a request is not recorded.</summary>
    public Func<byte[], bool>? Refuse { get; set; }

    public static FramedHttp2Upstream Start() => new();

    /// <summary>Says GOAWAY on all connections: what came so far is answered, nothing more is taken.</summary>
    public Task GoAwayAsync() => Task.WhenAll(_connections.Keys.Select(c => c.GoAwayAsync()));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections.Values).ConfigureAwait(false);
        _listener.Dispose();
        _stop.Dispose();
    }

    internal (RecordedExchange Exchange, UpstreamScript Script) Next(int connection, byte[] body)
    {
        var exchange = Record(connection, "POST", "/", [], body);
        return (exchange, Next(exchange));
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                var connection = new Http2FrameConnection(this, socket, ConnectionOpened());
                _connections[connection] = Task.Run(async () =>
                {
                    await connection.RunAsync(_stop.Token).ConfigureAwait(false);
                    ConnectionClosed();
                });
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
