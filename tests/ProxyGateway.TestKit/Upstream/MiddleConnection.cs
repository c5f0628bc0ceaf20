using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Threading.Channels;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>One connection through a <see cref="TcpMiddle"/>.</summary>
internal sealed class MiddleConnection(TcpMiddle middle, Socket near) : IDisposable
{
    /// <summary>As much as is under way at most; beyond it the sender feels it.</summary>
    private const int Pieces = 64;

    private readonly Socket _far = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public async Task RunAsync(Uri target, CancellationToken stop)
    {
        near.NoDelay = true;
        try
        {
            await using Stream client = await ClientAsync(stop).ConfigureAwait(false);
            await _far.ConnectAsync(target.Host, target.Port, stop).ConfigureAwait(false);
            await using var server = new NetworkStream(_far);
            await Task.WhenAll(PumpAsync(client, server, _far, null, stop), PumpAsync(server, client, near, middle.HalfCloseAfter, stop)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or AuthenticationException)
        {
            // One side has broken off, and the other is to hear of it.
            Reset();
        }
        finally
        {
            Dispose();
        }
    }

    public void Reset()
    {
        foreach (var socket in (Socket[])[near, _far])
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Close();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Gone already.
            }
        }
    }

    public void Dispose()
    {
        near.Dispose();
        _far.Dispose();
    }

    private async Task<Stream> ClientAsync(CancellationToken stop)
    {
        var plain = new NetworkStream(near);
        if (middle.Certificate is not { } certificate)
        {
            return plain;
        }

        var tls = new SslStream(plain);
        await tls.AuthenticateAsServerAsync(certificate(), stop).ConfigureAwait(false);
        return tls;
    }

    /// <summary>Reads at once and writes when it is due, so that latency does not cost throughput.</summary>
    private async Task PumpAsync(Stream from, Stream to, Socket end, int? limit, CancellationToken stop)
    {
        var underWay = Channel.CreateBounded<(byte[] Bytes, long Due)>(Pieces);
        var writing = WriteAsync(underWay.Reader, to, end, stop);
        try
        {
            var buffer = new byte[16 * 1024];
            long due = 0;
            for (var left = limit ?? int.MaxValue; left > 0;)
            {
                var count = await from.ReadAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)), stop).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                left -= limit is null ? 0 : count;
                due = Math.Max(due, Stopwatch.GetTimestamp() + (long)(Lateness().TotalSeconds * Stopwatch.Frequency));
                await underWay.Writer.WriteAsync((buffer[..count], due), stop).ConfigureAwait(false);
            }

            underWay.Writer.Complete();
        }
        catch (Exception e)
        {
            underWay.Writer.TryComplete(e);
        }

        await writing.ConfigureAwait(false);
    }

    private async Task WriteAsync(ChannelReader<(byte[] Bytes, long Due)> underWay, Stream to, Socket end, CancellationToken stop)
    {
        try
        {
            await foreach (var (bytes, due) in underWay.ReadAllAsync(stop).ConfigureAwait(false))
            {
                var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait, stop).ConfigureAwait(false);
                }

                await middle.PassableAsync(stop).ConfigureAwait(false);
                await to.WriteAsync(bytes, stop).ConfigureAwait(false);
            }

            await middle.PassableAsync(stop).ConfigureAwait(false);
            if (to is SslStream tls)
            {
                await tls.ShutdownAsync().ConfigureAwait(false);
            }

            end.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            // The side that is read from is to hear that nobody takes it any more.
            Reset();
            throw;
        }
    }

    private TimeSpan Lateness()
    {
        var quality = middle.Quality;
        var late = quality.Latency + (quality.Jitter * Random.Shared.NextDouble());
        return Random.Shared.NextDouble() < quality.StallShare ? late + quality.Stall : late;
    }
}

/// <summary>An address that answers to nothing, as behind a firewall that drops: no connection is made and none is refused.</summary>
public sealed class SilentEndpoint : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _fillers = [];

    /// <summary>A queue of accepted connections that is full makes the kernel drop what comes next.</summary>
    public SilentEndpoint()
    {
        _listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        _listener.Listen(0);
        Address = new Uri($"http://{_listener.LocalEndPoint}/");
        for (var i = 0; i < 4; i++)
        {
            var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _fillers.Add(filler);
            try
            {
                filler.Connect(_listener.LocalEndPoint!);
            }
            catch (SocketException)
            {
                // Under way, or dropped.
            }
        }
    }

    public Uri Address { get; }

    public void Dispose()
    {
        _fillers.ForEach(f => f.Dispose());
        _listener.Dispose();
    }
}
