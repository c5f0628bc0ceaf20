using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>A request as a strict server read it. Where it is not complete, its connection ended in the middle of the body.</summary>
public sealed record StrictRequest(string Head, byte[] Body, bool IsComplete);

/// <summary>
/// An HTTP/1.1 upstream that reads what RFC 9112 allows and nothing else, and says what it met beside that: what a proxy lets
/// through to it, it has vouched for.
/// </summary>
public sealed partial class StrictUpstream : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<StrictRequest> _requests = [];
    private readonly List<string> _complaints = [];
    private readonly List<Task> _connections = [];
    private readonly byte[] _answer;
    private readonly Task _accepting;

    private StrictUpstream(string contentType, byte[] answer)
    {
        _answer = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {contentType}\r\nContent-Length: {answer.Length}\r\n\r\n"), .. answer];
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public IReadOnlyList<StrictRequest> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>What no request may look like, each with the head or the bytes it stood in.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints)
            {
                return [.. _complaints];
            }
        }
    }

    public static StrictUpstream Start(string contentType, byte[] answer) => new(contentType, answer);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections).ConfigureAwait(false);
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                _connections.Add(Task.Run(() => ServeAsync(socket)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        var input = new StrictInput(stream, _stop.Token);
        try
        {
            while (await input.HeadAsync().ConfigureAwait(false) is { } head)
            {
                if (FindFault(head) is { } fault)
                {
                    Complain($"{fault} in {head}");
                    return;
                }

                var body = await BodyAsync(input, head).ConfigureAwait(false);
                lock (_requests)
                {
                    _requests.Add(new StrictRequest(head, body ?? [], body is not null));
                }

                if (body is null)
                {
                    return;
                }

                if (input.HasMore)
                {
                    Complain($"bytes beyond the request {head}");
                    return;
                }

                await stream.WriteAsync(_answer, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (FormatException e)
        {
            Complain(e.Message);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The peer has left, or the test has.
        }
    }

    private void Complain(string what)
    {
        lock (_complaints)
        {
            _complaints.Add(what);
        }
    }

    private static string? FindFault(string head)
    {
        var lines = head[..^4].Split("\r\n");
        if (!RequestLine().IsMatch(lines[0]))
        {
            return $"the request line '{lines[0]}'";
        }

        var bad = lines.Skip(1).FirstOrDefault(l => !FieldLine().IsMatch(l));
        var (lengths, codings) = (Values(head, "Content-Length"), Values(head, "Transfer-Encoding"));
        return bad is not null ? $"the field line '{bad}'"
            : Values(head, "Host").Count != 1 ? "no Host, or more than one"
            : lengths.Count > 1 || codings.Count > 1 || (lengths.Count > 0 && codings.Count > 0) ? "more than one way to tell the length"
            : lengths is [var length] && !length.All(char.IsAsciiDigit) ? $"the length '{length}'"
            : codings is [var coding] && coding != "chunked" ? $"the coding '{coding}'"
            : null;
    }

    private static List<string> Values(string head, string name) =>
        [.. head.Split("\r\n").Where(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(l => l[(name.Length + 1)..].Trim(' ', '\t'))];

    private static async Task<byte[]?> BodyAsync(StrictInput input, string head)
    {
        if (Values(head, "Transfer-Encoding").Count == 0)
        {
            return await input.TakeAsync(Values(head, "Content-Length") is [var length] ? int.Parse(length, CultureInfo.InvariantCulture) : 0).ConfigureAwait(false);
        }

        var body = new List<byte>();
        while (await input.LineAsync().ConfigureAwait(false) is { } size)
        {
            if (!ChunkSize().IsMatch(size))
            {
                throw new FormatException($"the chunk size '{size}' in {head}");
            }

            var count = int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (count > 0)
            {
                if (await input.TakeAsync(count).ConfigureAwait(false) is not { } chunk)
                {
                    return null;
                }

                body.AddRange(chunk);
            }

            if (await input.LineAsync().ConfigureAwait(false) is not { } end)
            {
                return null;
            }

            if (end.Length > 0)
            {
                throw new FormatException($"'{end}' after a chunk in {head}");
            }

            if (count == 0)
            {
                return [.. body];
            }
        }

        return null;
    }

    [GeneratedRegex(@"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ (/[!-~]*|\*) HTTP/1\.1\z")]
    private static partial Regex RequestLine();

    [GeneratedRegex(@"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\u0080-\u00FF]*\z")]
    private static partial Regex FieldLine();

    [GeneratedRegex(@"^[0-9A-Fa-f]{1,7}\z")]
    private static partial Regex ChunkSize();

    /// <summary>Lines that end with CR LF, and with nothing else.</summary>
    private sealed class StrictInput(NetworkStream stream, CancellationToken cancel)
    {
        private readonly List<byte> _unread = [];
        private readonly byte[] _buffer = new byte[16 * 1024];

        public bool HasMore => _unread.Count > 0 || stream.DataAvailable;

        public Task<string?> HeadAsync() => UpToAsync("\r\n\r\n"u8.ToArray(), keep: true);

        public async Task<string?> LineAsync()
        {
            var line = await UpToAsync("\r\n"u8.ToArray(), keep: false).ConfigureAwait(false);
            return line?.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0 ? throw new FormatException($"a lone CR, LF or NUL in '{line}'") : line;
        }

        public async Task<byte[]?> TakeAsync(int count)
        {
            while (_unread.Count < count)
            {
                if (!await FillAsync().ConfigureAwait(false))
                {
                    return null;
                }
            }

            byte[] taken = [.. _unread[..count]];
            _unread.RemoveRange(0, count);
            return taken;
        }

        private async Task<string?> UpToAsync(byte[] end, bool keep)
        {
            int at;
            while ((at = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_unread).IndexOf(end)) < 0)
            {
                if (!await FillAsync().ConfigureAwait(false))
                {
                    return null;
                }
            }

            var text = Encoding.Latin1.GetString([.. _unread[..(keep ? at + end.Length : at)]]);
            _unread.RemoveRange(0, at + end.Length);
            return text;
        }

        private async Task<bool> FillAsync()
        {
            var read = await stream.ReadAsync(_buffer, cancel).ConfigureAwait(false);
            _unread.AddRange(_buffer.AsSpan(0, read));
            return read > 0;
        }
    }
}
