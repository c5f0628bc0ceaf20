using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Client;

/// <summary>
/// HTTP/1.1 over a plain socket, one request per connection. It sees what HttpClient hides: whether a body ended with its
/// terminator, with FIN or with RST, and when each piece came.
/// </summary>
public static class RawHttpClient
{
    public static async Task<HttpResult> SendAsync(HttpCall call, CancellationToken cancel = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(call.Timeout);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var result = new ResultBuilder();
        try
        {
            await socket.ConnectAsync(call.Address.Host, call.Address.Port, limit.Token).ConfigureAwait(false);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(RequestBytes(call), limit.Token).ConfigureAwait(false);
            return await new Http1ResponseReader(stream, call, result).ReadAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException { InnerException: SocketException } or SocketException)
        {
            return result.End(ClientEnding.ConnectionReset);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return result.End(ClientEnding.TimedOut);
        }
    }

    /// <summary>Posts a chat request.</summary>
    public static Task<HttpResult> PostAsync(Uri address, byte[] body, string target = "/v1/chat/completions", CancellationToken cancel = default) =>
        SendAsync(new HttpCall { Address = address, Body = body, Target = target }, cancel);

    private static byte[] RequestBytes(HttpCall call)
    {
        var head = new StringBuilder($"{call.Method} {call.Target} HTTP/1.1\r\nHost: {call.Address.Authority}\r\n");
        foreach (var (name, value) in call.Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        var isChunked = call.Headers.Any(h => h.Key.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase));
        if (!isChunked && (call.Body.Length > 0 || call.Method is "POST" or "PUT"))
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {call.Body.Length}\r\n");
        }

        return [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. call.Body];
    }
}
