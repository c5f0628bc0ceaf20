using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyGateway.TestKit.Chats;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>
/// An agent on bare sockets, for thousands of streams at once. The model says what it does: <c>quiet</c> sends an event now and then,
/// <c>paced</c> one each 10 ms with the time it was sent, <c>flood</c> all that is taken, <c>broken</c> breaks and then has a whole
/// answer of 1 MB. One connection, one exchange.
/// </summary>
internal sealed class MixedUpstream : IAsyncDisposable
{
    /// <summary>How often a paced stream gets an event.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private static readonly byte[] s_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray();
    private static readonly byte[] s_first = Chunk(Chat.Default.Role() + Chat.Default.Text("Hello "));
    private static readonly byte[] s_large = Chunk(Chat.Default.Text(new string('w', 4000)));
    private static readonly byte[] s_whole = Answer("Hello " + new string('w', 1_000_000));

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly List<Socket> _paced = [];
    private readonly Thread _pacing;
    private readonly Task _accepting;
    private int _replays;

    public MixedUpstream()
    {
        _listener.Start(4096);
        _accepting = AcceptAsync();
        _pacing = new Thread(SendPaced) { IsBackground = true, Name = "paced upstream" };
        _pacing.Start();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>Whole answers of 1 MB given.</summary>
    public int Replays => Volatile.Read(ref _replays);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _pacing.Join();
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
                socket.NoDelay = true;
                var serving = ServeAsync(socket);
                _connections[serving] = true;
                _ = serving.ContinueWith(t => _connections.TryRemove(t, out _), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        var leave = false;
        try
        {
            var request = await ReadRequestAsync(socket);
            if (request.Contains("\"model\":\"broken\"", StringComparison.Ordinal) && !request.Contains("\"stream\":true", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _replays);
                await SendAllAsync(socket, s_whole);
                return;
            }

            await SendAllAsync(socket, s_head);
            await SendAllAsync(socket, s_first);
            if (request.Contains("\"model\":\"paced\"", StringComparison.Ordinal))
            {
                leave = true;
                lock (_paced)
                {
                    _paced.Add(socket);
                }
            }
            else if (request.Contains("\"model\":\"flood\"", StringComparison.Ordinal))
            {
                while (true)
                {
                    await SendAllAsync(socket, s_large);
                }
            }
            else if (request.Contains("\"model\":\"broken\"", StringComparison.Ordinal))
            {
                await Task.Delay(20, _stop.Token);
                socket.LingerState = new LingerOption(true, 0);
            }
            else
            {
                // Streams that all sent at the same instant would be another test.
                await Task.Delay(Random.Shared.Next(5000), _stop.Token);
                while (true)
                {
                    await SendAllAsync(socket, s_first);
                    await Task.Delay(5000, _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException)
        {
            // The peer has had enough, or the test.
        }
        finally
        {
            if (!leave)
            {
                socket.Dispose();
            }
        }
    }

    /// <summary>A thread of its own: what the rest of this process does must not look like a stall of the gateway.</summary>
    private void SendPaced()
    {
        Socket[] sockets = [];
        while (!_stop.IsCancellationRequested)
        {
            Thread.Sleep(Pace);
            lock (_paced)
            {
                sockets = [.. _paced];
            }

            foreach (var socket in sockets)
            {
                var chunk = Chunk(Chat.Default.Text(Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture)));
                try
                {
                    socket.Send(chunk);
                }
                catch (SocketException)
                {
                    lock (_paced)
                    {
                        _paced.Remove(socket);
                    }

                    socket.Dispose();
                }
            }
        }

        foreach (var socket in sockets)
        {
            socket.Dispose();
        }
    }

    private async Task<string> ReadRequestAsync(Socket socket)
    {
        var buffer = new byte[16 * 1024];
        var have = 0;
        while (have < buffer.Length)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(have), _stop.Token);
            if (read == 0)
            {
                throw new IOException("The request ended early.");
            }

            have += read;
            var text = Encoding.Latin1.GetString(buffer, 0, have);
            var body = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            var length = text.IndexOf("content-length:", StringComparison.OrdinalIgnoreCase);
            if (body >= 4 && length > 0 && have - body >= int.Parse(text.AsSpan(length + 15, text.IndexOf('\r', length) - length - 15), CultureInfo.InvariantCulture))
            {
                return text;
            }
        }

        throw new IOException("The request is too long.");
    }

    private async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, _stop.Token)..];
        }
    }

    private static byte[] Chunk(string text) => Encoding.UTF8.GetBytes($"{text.Length:x}\r\n{text}\r\n");

    private static byte[] Answer(string text)
    {
        var body = Chat.Default.Completion(text);
        return [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), .. body];
    }
}
