using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.IntegrationTests.DemoAgents;

/// <summary>How a connection ended.</summary>
public enum WireEnding
{
    /// <summary>The chunked body had its last chunk.</summary>
    Terminator,

    /// <summary>FIN before the last chunk.</summary>
    Fin,

    /// <summary>TCP reset.</summary>
    Reset,

    /// <summary>Nothing more came within the time given.</summary>
    Silence,
}

/// <summary>What was on the wire: status line and headers, the body with its chunk framing taken off, and the ending.</summary>
internal sealed record WireResponse(string Head, string Body, WireEnding Ending)
{
    public int Status => int.Parse(Head.AsSpan(9, 3), CultureInfo.InvariantCulture);

    /// <summary>The body's events; the last one is an incomplete one where the body does not end with a blank line.</summary>
    public string[] Events => Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Speaks HTTP/1.1 on a bare socket, because a client library hides how a connection ended.</summary>
internal static class RawHttpClient
{
    private static readonly byte[] s_lastChunk = "0\r\n\r\n"u8.ToArray();

    public static async Task<WireResponse> PostAsync(Uri address, string path, string json, TimeSpan? silence = null)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        var body = Encoding.UTF8.GetBytes(json);
        var head = $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(head));
        await socket.SendAsync(body);

        var received = new MemoryStream();
        var ending = await ReceiveAsync(socket, received, silence ?? TimeSpan.FromSeconds(10));
        return Parse(received.ToArray(), ending);
    }

    private static async Task<WireEnding> ReceiveAsync(Socket socket, MemoryStream received, TimeSpan silence)
    {
        var buffer = new byte[4096];
        while (true)
        {
            using var patience = new CancellationTokenSource(silence);
            try
            {
                var count = await socket.ReceiveAsync(buffer, patience.Token);
                if (count == 0)
                {
                    return WireEnding.Fin;
                }

                received.Write(buffer, 0, count);
                if (IsWhole(received.GetBuffer().AsSpan(0, (int)received.Length)))
                {
                    return WireEnding.Terminator;
                }
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                return WireEnding.Reset;
            }
            catch (OperationCanceledException)
            {
                return WireEnding.Silence;
            }
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> bytes)
    {
        var headEnd = bytes.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return false;
        }

        return ContentLength(Encoding.ASCII.GetString(bytes[..headEnd])) is { } length
            ? bytes.Length - headEnd - 4 >= length
            : bytes.EndsWith(s_lastChunk);
    }

    private static WireResponse Parse(byte[] bytes, WireEnding ending)
    {
        var headEnd = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        var head = Encoding.ASCII.GetString(bytes, 0, headEnd);
        var rest = bytes.AsSpan(headEnd + 4);
        if (ContentLength(head) is not null)
        {
            return new WireResponse(head, Encoding.UTF8.GetString(rest), ending);
        }

        var body = new MemoryStream();
        while (rest.IndexOf("\r\n"u8) is > 0 and var lineEnd)
        {
            var size = int.Parse(Encoding.ASCII.GetString(rest[..lineEnd]), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Write(rest.Slice(lineEnd + 2, size));
            rest = rest[(lineEnd + 2 + size + 2)..];
        }

        return new WireResponse(head, Encoding.UTF8.GetString(body.ToArray()), ending);
    }

    private static int? ContentLength(string head)
    {
        const string Name = "Content-Length: ";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : int.Parse(head[(at + Name.Length)..].Split('\r')[0], CultureInfo.InvariantCulture);
    }
}
