using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>As much of HTTP/2 as an attacker needs: frames by hand, past all that a client library would keep from happening.</summary>
internal sealed class RawHttp2 : IDisposable
{
    private const byte Headers = 1;
    private const byte Reset = 3;
    private const byte Settings = 4;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly CancellationTokenSource _stop = new();
    private Task _reading = Task.CompletedTask;
    private volatile bool _closed;
    private int _nextStream = 1;

    /// <summary>Whether the peer has ended the connection.</summary>
    public bool IsClosed => _closed;

    public async Task ConnectAsync(Uri address)
    {
        await _socket.ConnectAsync(address.Host, address.Port);
        await _socket.SendAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, [])]);
        _reading = DrainAsync();
    }

    /// <summary>Opens a stream with a request and resets it with the same breath; false where the connection is over.</summary>
    public async Task<bool> OpenAndResetAsync(string method, string path, bool endStream)
    {
        var stream = _nextStream;
        _nextStream += 2;
        var cancel = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(cancel, 8);
        var header = Block((":method", method), (":scheme", "http"), (":path", path), (":authority", "a"), ("content-type", "application/json"));
        return await SendAsync([.. Frame(Headers, (byte)(endStream ? 5 : 4), stream, header), .. Frame(Reset, 0, stream, cancel)]);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _socket.Dispose();
        try
        {
            _reading.Wait();
        }
        catch (AggregateException)
        {
            // It ended with the socket.
        }

        _stop.Dispose();
    }

    private async Task<bool> SendAsync(byte[] bytes)
    {
        try
        {
            if (!_closed)
            {
                await _socket.SendAsync(bytes);
            }
        }
        catch (SocketException)
        {
            _closed = true;
        }

        return !_closed;
    }

    private async Task DrainAsync()
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer, _stop.Token) > 0)
            {
                // What it says does not matter.
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Over.
        }

        _closed = true;
    }

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)payload.Length);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    /// <summary>Literal fields without indexing, names and values as they are (RFC 7541, section 6.2.2).</summary>
    private static byte[] Block(params (string Name, string Value)[] fields) =>
        [.. fields.SelectMany(f => (byte[])[0, (byte)f.Name.Length, .. Encoding.ASCII.GetBytes(f.Name), (byte)f.Value.Length, .. Encoding.ASCII.GetBytes(f.Value)])];
}
