using System.Net.Sockets;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary><c>Gateway:MaxConnections</c>: who comes beyond it is closed at once, and those inside are served on.</summary>
public sealed class ConnectionLimitTests
{
    private const int Limit = 3;

    [Fact]
    public async Task ConnectionBeyondTheLimit_IsClosed_AndThereIsRoomAgainOnceOneHasLeft()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s["Gateway:MaxConnections"] = $"{Limit}";
            s.Cluster("primary", upstream);
        });
        using var first = await AskAsync(gateway);
        using var second = await AskAsync(gateway);
        var third = await AskAsync(gateway);

        using (var beyond = await ConnectAsync(gateway))
        {
            Assert.Equal(0, await ReadAsync(beyond));
        }

        Assert.True(await ServesAsync(first));
        third.Dispose();
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (true)
        {
            using var next = await ConnectAsync(gateway);
            if (await ServesAsync(next))
            {
                break;
            }

            Assert.True(DateTime.UtcNow < deadline, "There is no room although one has left.");
        }
    }

    private static async Task<Socket> AskAsync(GatewayFixture gateway)
    {
        var socket = await ConnectAsync(gateway);
        Assert.True(await ServesAsync(socket));
        return socket;
    }

    private static async Task<Socket> ConnectAsync(GatewayFixture gateway)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(gateway.Http1.Host, gateway.Http1.Port);
        return socket;
    }

    private static async Task<bool> ServesAsync(Socket socket)
    {
        try
        {
            await socket.SendAsync(SlowClientTests.RequestBytes(Chat.Default.Request(stream: false)));
            return await ReadAsync(socket) > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<int> ReadAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            return await socket.ReceiveAsync(new byte[64 * 1024], patience.Token);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }
}
