using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>
/// The server's side of one HTTP/1.1 connection, by hand. A read is always under way or can be: that is how a silent
/// upstream notices that its peer has left.
/// </summary>
internal sealed class Http1Connection(Socket socket) : IDisposable
{
    private const int MaxHead = 64 * 1024;
    private const int MaxBody = 64 * 1024 * 1024;

    private readonly NetworkStream _stream = new(socket, ownsSocket: true);
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly List<byte> _unread = [];
    private Task<int>? _read;

    public sealed record Request(string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body);

    /// <summary>Reads one request; null where the peer closed instead of sending one.</summary>
    public async Task<Request?> ReadRequestAsync(CancellationToken cancel)
    {
        int end;
        while ((end = HeadEnd()) < 0)
        {
            if (_unread.Count > MaxHead || !await FillAsync(cancel).ConfigureAwait(false))
            {
                return null;
            }
        }

        var lines = Encoding.Latin1.GetString([.. _unread[..end]]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        _unread.RemoveRange(0, end);
        var start = lines[0].Split(' ');
        if (start.Length < 3)
        {
            return null;
        }

        List<KeyValuePair<string, string>> headers = [];
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(KeyValuePair.Create(line[..Math.Max(colon, 0)], line[(colon + 1)..].Trim()));
        }

        if (Value(headers, "Expect") is not null)
        {
            await WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancel).ConfigureAwait(false);
        }

        var body = await ReadBodyAsync(headers, cancel).ConfigureAwait(false);
        return body is null ? null : new Request(start[0], start[1], headers, body);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        if (bytes.Length > 0)
        {
            await _stream.WriteAsync(bytes, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Waits; true where the peer left meanwhile.</summary>
    public async Task<bool> PeerLeavesWithinAsync(Task wait, CancellationToken cancel)
    {
        while (true)
        {
            var read = StartRead(cancel);
            if (await Task.WhenAny(read, wait).ConfigureAwait(false) != read)
            {
                return false;
            }

            if (!await FillAsync(cancel).ConfigureAwait(false))
            {
                return true;
            }
        }
    }

    /// <summary>Whether the peer is known to have left.</summary>
    public bool PeerHasLeft => _read is { IsCompleted: true } && (!_read.IsCompletedSuccessfully || _read.Result == 0);

    /// <summary>RST: what the peer has not read yet may be lost.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    /// <summary>FIN: all that was sent arrives.</summary>
    public void Close()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Gone already.
        }
    }

    public void Dispose() => _stream.Dispose();

    private static string? Value(List<KeyValuePair<string, string>> headers, string name) =>
        headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private int HeadEnd()
    {
        var end = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_unread).IndexOf("\r\n\r\n"u8);
        return end < 0 ? -1 : end + 4;
    }

    private async Task<byte[]?> ReadBodyAsync(List<KeyValuePair<string, string>> headers, CancellationToken cancel)
    {
        if (Value(headers, "Transfer-Encoding") is not null)
        {
            return await ReadChunkedAsync(cancel).ConfigureAwait(false);
        }

        var length = Value(headers, "Content-Length") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        return length > MaxBody ? null : await TakeAsync(length, cancel).ConfigureAwait(false);
    }

    private async Task<byte[]?> ReadChunkedAsync(CancellationToken cancel)
    {
        var body = new ArrayBufferWriter<byte>();
        while (await TakeLineAsync(cancel).ConfigureAwait(false) is { } line)
        {
            var size = int.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                while (await TakeLineAsync(cancel).ConfigureAwait(false) is { Length: > 0 })
                {
                    // Trailers say nothing a test asks for.
                }

                return body.WrittenSpan.ToArray();
            }

            if (body.WrittenCount + size > MaxBody || await TakeAsync(size, cancel).ConfigureAwait(false) is not { } chunk)
            {
                return null;
            }

            body.Write(chunk);
            await TakeLineAsync(cancel).ConfigureAwait(false);
        }

        return null;
    }

    private async Task<string?> TakeLineAsync(CancellationToken cancel)
    {
        int end;
        while ((end = _unread.IndexOf((byte)'\n')) < 0)
        {
            if (_unread.Count > MaxHead || !await FillAsync(cancel).ConfigureAwait(false))
            {
                return null;
            }
        }

        var line = Encoding.Latin1.GetString([.. _unread[..end]]).TrimEnd('\r');
        _unread.RemoveRange(0, end + 1);
        return line;
    }

    private async Task<byte[]?> TakeAsync(int count, CancellationToken cancel)
    {
        while (_unread.Count < count)
        {
            if (!await FillAsync(cancel).ConfigureAwait(false))
            {
                return null;
            }
        }

        byte[] taken = [.. _unread[..count]];
        _unread.RemoveRange(0, count);
        return taken;
    }

    private Task<int> StartRead(CancellationToken cancel) => _read ??= _stream.ReadAsync(_buffer, cancel).AsTask();

    private async Task<bool> FillAsync(CancellationToken cancel)
    {
        int count;
        try
        {
            count = await StartRead(cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false;
        }

        if (count == 0)
        {
            return false;
        }

        _read = null;
        _unread.AddRange(_buffer.AsSpan(0, count));
        return true;
    }
}
