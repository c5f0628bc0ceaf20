using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace ProxyGateway.Hosting;

/// <summary>
/// Listening sockets whose connections take no more than a little of what a client does not read. Without that, the kernel takes
/// megabytes for each: the upstream would be read as long, and what counts as delivered kept, for somebody who may never read it.
/// </summary>
/// <remarks>Linux: <c>TCP_NOTSENT_LOWAT</c> (tcp(7)). It bounds what is not sent yet, not what is under way, so a fast client far away is no slower.</remarks>
internal static class ClientSockets
{
    /// <summary>In bytes. Enough that a socket is never empty between two writes.</summary>
    public const int MostUnsent = 32 * 1024;

    private const int Tcp = 6;
    private const int NotSentLowWater = 25;

    /// <summary>A connection has the options of the socket that accepted it.</summary>
    public static Socket Listen(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (OperatingSystem.IsLinux() && socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        {
            socket.SetRawSocketOption(Tcp, NotSentLowWater, BitConverter.GetBytes(MostUnsent));
        }

        return socket;
    }
}
