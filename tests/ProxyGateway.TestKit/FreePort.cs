using System.Net;
using System.Net.Sockets;

namespace ProxyGateway.TestKit;

/// <summary>Ports for processes that cannot say which one they took when asked for any.</summary>
public static class FreePort
{
    /// <summary>Below what kernels give to outgoing connections (RFC 6335: 49152 and up; Linux: 32768 and up), so that none takes it meanwhile.</summary>
    private const int First = 12_000, Last = 32_000;

    /// <summary>A port of 127.0.0.1 on which nobody listens, chosen at random.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Another one, then.
            }
        }
    }
}
