using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.IntegrationTests.Backplane;

/// <summary>Listens where a Redis should be and answers every read with the same bytes, or with nothing.</summary>
internal sealed class FalseRedis : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[]? _answer;
    private readonly bool _forEver;
    private readonly Task _accepting;
    private int _connections;

    /// <param name="answer">Null: it accepts and is silent.</param>
    /// <param name="forEver">It does not wait to be asked, and never stops.</param>
    public FalseRedis(string? answer, bool forEver = false)
    {
        (_answer, _forEver) = (answer is null ? null : Encoding.Latin1.GetBytes(answer), forEver);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public int Connections => Volatile.Read(ref _connections);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
                Interlocked.Increment(ref _connections);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                var buffer = new byte[4096];
                while (_forEver || await stream.ReadAsync(buffer, _stop.Token) > 0)
                {
                    if (_answer is not null)
                    {
                        await stream.WriteAsync(_answer, _stop.Token);
                    }
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // The gateway has seen enough, or the test is over.
        }
    }
}
