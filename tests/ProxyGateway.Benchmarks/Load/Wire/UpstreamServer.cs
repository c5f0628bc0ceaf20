using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.Benchmarks.Load.Wire;

/// <summary>
/// The agent of the bench, on raw sockets with bytes made beforehand. The query says what it does: <c>json</c> (a whole answer),
/// <c>short</c> (a stream of one event), <c>burst=N</c> (N events as fast as they are taken), <c>paced=R</c> (R events a second,
/// for as long as the client stays), <c>cut=N</c> (a stream that breaks in the middle once N of its kind are open, and the whole
/// answer when asked for no stream).
/// </summary>
internal sealed class UpstreamServer
{
    private const int EventsPerSend = 80;

    private readonly PacedStreams _paced = new();
    private readonly CutStreams _cut = new();
    private readonly byte[] _shortStart = [.. WireText.StreamStart, .. WireText.Content];
    private readonly byte[] _burst = [.. Enumerable.Repeat(WireText.Content, EventsPerSend).SelectMany(b => b)];

    /// <summary>Serves until standard input ends, which it does with the process that started this one.</summary>
    public static int RunUntilParentEnds()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4096);
        var server = new UpstreamServer();
        new Thread(() => server.Accept(listener)) { IsBackground = true }.Start();
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port);
        while (Console.In.ReadLine() is not null)
        {
        }

        return 0;
    }

    private void Accept(Socket listener)
    {
        while (true)
        {
            var socket = listener.Accept();
            socket.NoDelay = true;
            _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            var buffer = new byte[4096];
            while (await ReadRequestAsync(socket, buffer) is var (behaviour, streaming))
            {
                if (behaviour.StartsWith("cut=", StringComparison.Ordinal))
                {
                    if (!streaming)
                    {
                        await SendAsync(socket, _cut.Replay(behaviour));
                        continue;
                    }

                    await SendAsync(socket, CutStreams.Beginning);
                    _cut.Add(socket, behaviour);
                    return;
                }

                if (behaviour.StartsWith("paced=", StringComparison.Ordinal))
                {
                    await SendAsync(socket, _shortStart);
                    _paced.Add(socket, double.Parse(behaviour.AsSpan(6), CultureInfo.InvariantCulture));
                    // The pacing thread writes now; a slow pace would find out too late that nobody is there any more.
                    await socket.ReceiveAsync(buffer.AsMemory(0, 1));
                    socket.Dispose();
                    return;
                }

                await AnswerAsync(socket, behaviour);
            }

            socket.Dispose();
        }
        catch (SocketException)
        {
            socket.Dispose();
        }
    }

    private async Task AnswerAsync(Socket socket, string behaviour)
    {
        if (behaviour == "json")
        {
            await SendAsync(socket, WireText.Answer);
            return;
        }

        if (behaviour == "short")
        {
            await SendAsync(socket, _shortStart);
        }
        else if (behaviour.StartsWith("burst=", StringComparison.Ordinal))
        {
            await SendAsync(socket, WireText.StreamStart);
            for (var left = int.Parse(behaviour.AsSpan(6), CultureInfo.InvariantCulture); left > 0; left -= EventsPerSend)
            {
                await SendAsync(socket, _burst.AsMemory(0, Math.Min(left, EventsPerSend) * WireText.Content.Length));
            }
        }

        await SendAsync(socket, WireText.StreamEnd);
    }

    private static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    /// <summary>Reads one request and returns what it asks for, and whether as a stream; null at the end of the connection.</summary>
    private static async ValueTask<(string Behaviour, bool Streaming)?> ReadRequestAsync(Socket socket, byte[] buffer)
    {
        var length = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length));
            if (read == 0)
            {
                return null;
            }

            length += read;
            var head = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (head < 0)
            {
                continue;
            }

            var text = Encoding.ASCII.GetString(buffer, 0, head);
            var streaming = Streams(buffer.AsSpan(head, length - head));
            var left = BodyLength(text) - (length - head - 4);
            while (left > 0)
            {
                read = await socket.ReceiveAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)));
                if (read == 0)
                {
                    return null;
                }

                streaming |= Streams(buffer.AsSpan(0, read));
                left -= read;
            }

            return (Behaviour(text), streaming);
        }
    }

    /// <summary>From the query, or for proxies that leave that out from a path that begins with <c>/as/</c>.</summary>
    private static string Behaviour(string head)
    {
        var target = head[(head.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        target = target[..target.IndexOf(' ', StringComparison.Ordinal)];
        return target.StartsWith("/as/", StringComparison.Ordinal) ? target.Split('/')[2] : target[(target.IndexOf('?', StringComparison.Ordinal) + 1)..];
    }

    /// <summary>The client of the bench writes the member near the beginning of its body, so no read divides it.</summary>
    private static bool Streams(ReadOnlySpan<byte> bytes) => bytes.IndexOf("\"stream\":true"u8) >= 0;

    private static int BodyLength(string head)
    {
        const string Name = "\r\ncontent-length:";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            throw new SocketException((int)SocketError.OperationNotSupported, "A request of unknown length; every target of the bench sends one.");
        }

        var end = head.IndexOf('\r', at + 2);
        return int.Parse(head.AsSpan(at + Name.Length, (end < 0 ? head.Length : end) - at - Name.Length), CultureInfo.InvariantCulture);
    }
}
