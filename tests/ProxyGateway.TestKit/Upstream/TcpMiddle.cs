using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>How a <see cref="TcpMiddle"/> treats what goes through it. Each way of each connection is treated for itself, and in order.</summary>
/// <param name="Latency">How long each piece is under way.</param>
/// <param name="Jitter">Up to so much more.</param>
/// <param name="StallShare">So many pieces of one are late by <paramref name="Stall"/>: what a lost packet looks like above TCP.</param>
public sealed record LinkQuality(TimeSpan Latency = default, TimeSpan Jitter = default, double StallShare = 0, TimeSpan Stall = default);

/// <summary>
/// The network between two hosts, as far as TCP lets one see it from above: forwards connections to a target and can be told to
/// delay, to swallow (a black hole keeps both sockets open and forwards nothing), to half-close, to reset, to refuse and to come back.
/// </summary>
public sealed class TcpMiddle : IAsyncDisposable
{
    private readonly Uri _target;
    private readonly IPEndPoint _listen;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<MiddleConnection, Task> _connections = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private TaskCompletionSource _open = Done();
    private int _accepted;

    private TcpMiddle(Uri target, IPEndPoint listen) => (_target, _listen) = (target, listen);

    /// <summary>The same scheme as the target's, unless TLS ends here.</summary>
    public Uri Address => new($"{(Certificate is null ? _target.Scheme : "https")}://{_listen}/");

    public int Port => _listen.Port;

    public LinkQuality Quality { get; set; } = new();

    /// <summary>TLS ends here, with the certificate that is given for each new connection.</summary>
    public Func<SslServerAuthenticationOptions>? Certificate { get; set; }

    /// <summary>What comes from the target ends after so many bytes, with FIN; the other way stays open.</summary>
    public int? HalfCloseAfter { get; set; }

    /// <summary>Connections ever accepted.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    public int Open => _connections.Count;

    public static TcpMiddle Start(Uri target, IPAddress? address = null, int port = 0)
    {
        var listener = new TcpListener(address ?? IPAddress.Loopback, port);
        listener.Start();
        var middle = new TcpMiddle(target, (IPEndPoint)listener.LocalEndpoint);
        middle.Accept(listener);
        return middle;
    }

    /// <summary>From now on nothing is forwarded, in either way; nobody is told.</summary>
    public void BlackHole()
    {
        if (_open.Task.IsCompleted)
        {
            Volatile.Write(ref _open, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
    }

    /// <summary>What was swallowed arrives, and all goes on.</summary>
    public void Heal() => Volatile.Read(ref _open).TrySetResult();

    /// <summary>All connections end at once on both sides: RST.</summary>
    public void Cut()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Reset();
        }
    }

    /// <summary>As a host whose server has died: connections are reset and new ones refused.</summary>
    public async Task GoDownAsync()
    {
        _listener?.Stop();
        await _accepting.ConfigureAwait(false);
        Cut();
    }

    public void ComeBack()
    {
        var listener = new TcpListener(_listen);
        listener.Start();
        Accept(listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Heal();
        await GoDownAsync().ConfigureAwait(false);
        await Task.WhenAll(_connections.Values).ConfigureAwait(false);
        _listener?.Dispose();
        _stop.Dispose();
    }

    /// <summary>Waits until something may be forwarded.</summary>
    internal Task PassableAsync(CancellationToken cancel) => Volatile.Read(ref _open).Task.WaitAsync(cancel);

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        done.SetResult();
        return done;
    }

    private void Accept(TcpListener listener)
    {
        _listener = listener;
        _accepting = AcceptAsync(listener);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                Interlocked.Increment(ref _accepted);
                var connection = new MiddleConnection(this, socket);
                var ended = new TaskCompletionSource();
                _connections[connection] = ended.Task;
                _ = Task.Run(async () =>
                {
                    await connection.RunAsync(_target, _stop.Token).ConfigureAwait(false);
                    _connections.TryRemove(connection, out _);
                    ended.SetResult();
                });
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It went down.
        }
    }
}
