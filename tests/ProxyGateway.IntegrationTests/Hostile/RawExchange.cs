using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>Bytes as they stand, sent over one connection, and what came back.</summary>
internal sealed partial record RawExchange(int ClientPort, string Received, bool ClosedByPeer)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    /// <summary>Whether the peer closed with a reset, and not in order.</summary>
    public bool WasReset { get; private init; }

    /// <summary>The statuses of the answers, interim ones left out.</summary>
    public IReadOnlyList<int> Statuses => [.. StatusLine().Matches(Received).Select(m => int.Parse(m.Groups[1].ValueSpan, provider: null)).Where(s => s >= 200)];

    /// <summary>Sends and reads until the peer closes or is silent for <paramref name="quiet"/>.</summary>
    public static async Task<RawExchange> SendAsync(Uri address, byte[] bytes, TimeSpan quiet)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address.Host, address.Port, limit.Token);
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        var received = new StringBuilder();
        var (closed, wasReset) = (false, false);
        try
        {
            await socket.SendAsync(bytes, limit.Token);
            var buffer = new byte[16 * 1024];
            while (!closed)
            {
                using var silence = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
                silence.CancelAfter(quiet);
                var read = await socket.ReceiveAsync(buffer, silence.Token);
                received.Append(Encoding.Latin1.GetString(buffer, 0, read));
                closed = read == 0;
            }
        }
        catch (SocketException e)
        {
            (closed, wasReset) = (true, e.SocketErrorCode == SocketError.ConnectionReset);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            // Silence.
        }

        return new RawExchange(port, received.ToString(), closed) { WasReset = wasReset };
    }

    [GeneratedRegex(@"HTTP/1\.1 (\d{3}) ")]
    private static partial Regex StatusLine();
}
