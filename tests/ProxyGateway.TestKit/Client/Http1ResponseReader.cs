using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Client;

/// <summary>Reads one response off a socket and says how its body ended.</summary>
internal sealed class Http1ResponseReader(NetworkStream stream, HttpCall call, ResultBuilder result)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _left;

    public async Task<HttpResult> ReadAsync(CancellationToken cancel)
    {
        do
        {
            if (await LineAsync(cancel).ConfigureAwait(false) is not { } statusLine)
            {
                return result.End(ClientEnding.WithoutTerminator);
            }

            result.Headers.Clear();
            while (await LineAsync(cancel).ConfigureAwait(false) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                result.Headers.Add(KeyValuePair.Create(line[..colon], line[(colon + 1)..].Trim()));
            }

            result.Head(int.Parse(statusLine.Split(' ')[1], CultureInfo.InvariantCulture));
        }
        while (result.Status is >= 100 and < 200);

        var ending = await BodyAsync(cancel).ConfigureAwait(false);
        return result.End(_left ? ClientEnding.ClientLeft : ending);
    }

    private string? Header(string name) => result.Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private async Task<ClientEnding> BodyAsync(CancellationToken cancel)
    {
        if (call.Method == "HEAD" || result.Status is 204 or 304)
        {
            return ClientEnding.Clean;
        }

        if (Header("Transfer-Encoding") is not null)
        {
            return await ChunkedAsync(cancel).ConfigureAwait(false);
        }

        var length = Header("Content-Length") is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : long.MaxValue;
        if (await TakeAsync(length, cancel).ConfigureAwait(false))
        {
            return ClientEnding.Clean;
        }

        // Where the close is the framing, HTTP itself cannot tell a whole body from half of one.
        return length == long.MaxValue ? ClientEnding.Clean : ClientEnding.WithoutTerminator;
    }

    private async Task<ClientEnding> ChunkedAsync(CancellationToken cancel)
    {
        while (await LineAsync(cancel).ConfigureAwait(false) is { } line)
        {
            if (!long.TryParse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var size))
            {
                return ClientEnding.WithoutTerminator;
            }

            if (size == 0)
            {
                string? trailer;
                while ((trailer = await LineAsync(cancel).ConfigureAwait(false)) is { Length: > 0 })
                {
                    // Trailers are not judged.
                }

                return trailer is null ? ClientEnding.WithoutTerminator : ClientEnding.Clean;
            }

            if (!await TakeAsync(size, cancel).ConfigureAwait(false) || await LineAsync(cancel).ConfigureAwait(false) is null)
            {
                return ClientEnding.WithoutTerminator;
            }
        }

        return ClientEnding.WithoutTerminator;
    }

    /// <summary>Takes so many bytes of the body; false where the connection ended, or the client left, before.</summary>
    private async Task<bool> TakeAsync(long count, CancellationToken cancel)
    {
        while (count > 0)
        {
            if (_start == _end && !await FillAsync(cancel).ConfigureAwait(false))
            {
                return false;
            }

            var now = (int)Math.Min(count, _end - _start);
            result.Add(_buffer.AsSpan(_start, now));
            _start += now;
            count -= now;
            if (result.Leaves(call))
            {
                // Unread data or not: the peer shall see a client that is gone, not one that half-closed.
                stream.Socket.LingerState = new LingerOption(true, 0);
                _left = true;
                return false;
            }
        }

        return true;
    }

    private async Task<string?> LineAsync(CancellationToken cancel)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_start == _end && !await FillAsync(cancel).ConfigureAwait(false))
            {
                return null;
            }

            var next = (char)_buffer[_start++];
            if (next == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append(next);
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancel)
    {
        if (_left)
        {
            return false;
        }

        if (result.Status is >= 200 && call.BeforeRead is { } pause)
        {
            await pause().WaitAsync(cancel).ConfigureAwait(false);
        }

        _start = 0;
        _end = await stream.ReadAsync(_buffer, cancel).ConfigureAwait(false);
        return _end > 0;
    }
}
