using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace ProxyGateway.Backplane;

/// <summary>
/// How much a server may send on one connection. The client keeps whatever a server begins to send until it is complete, half a gigabyte if
/// it says so; here the connection ends when more came than all that was asked for can have as an answer.
/// </summary>
internal sealed class ReadAllowance : Tunnel
{
    /// <summary>The handshake, in which a server describes itself, and slack.</summary>
    private const long Most = 1024 * 1024;

    /// <summary>Far more than the answer to a command, and enough besides for the checks that the client makes by itself.</summary>
    private const long PerCommand = 16 * 1024;

    private long _left = Most;

    /// <summary>A command goes out.</summary>
    public void Refill()
    {
        if (Interlocked.Add(ref _left, PerCommand) > Most)
        {
            Interlocked.Exchange(ref _left, Most);
        }
    }

    public override ValueTask<Stream?> BeforeAuthenticateAsync(EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken) =>
        new(socket is null ? null : new BoundedStream(this, socket));

    private int Spend(int bytes) => Interlocked.Add(ref _left, -bytes) >= 0 ? bytes : throw new IOException("the server sends more than was asked for");

    private sealed class BoundedStream(ReadAllowance allowance, Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        public override int Read(byte[] buffer, int offset, int count) => allowance.Spend(base.Read(buffer, offset, count));

        public override int Read(Span<byte> buffer) => allowance.Spend(base.Read(buffer));

        public override async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            allowance.Spend(await base.ReadAsync(buffer.AsMemory(offset, count), cancellationToken));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            allowance.Spend(await base.ReadAsync(buffer, cancellationToken));
    }
}
