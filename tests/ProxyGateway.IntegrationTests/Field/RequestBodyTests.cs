using System.Net;
using System.Net.Sockets;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>The request body on its way to an upstream.</summary>
public sealed class RequestBodyTests
{
    [Fact]
    public async Task UpstreamAnswersBeforeItHasReadTheBody_FallbackGetsItWhole()
    {
        using var impatient = new TcpListener(IPAddress.Loopback, 0);
        impatient.Start();
        var served = ServeImpatientlyAsync(impatient);
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked, Agents.Other);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Chat("ccrouter").Cluster("ccrouter", new Uri($"http://{impatient.LocalEndpoint}")).Cluster("droid", droid).Fallback("ccrouter", "droid"));
        var request = Chat.Default.Request();
        // More than the sockets on the way can hold, so that sending is still under way when the answer comes.
        var large = new byte[9_000_000];
        large.AsSpan().Fill((byte)' ');
        request.CopyTo(large, 0);

        var result = await gateway.SendAsync(Wire.Http1, large);

        Assert.Equal(200, result.Status);
        Assert.Equal("droid", result.Header("x-gateway-cluster"));
        var asked = droid.Exchanges[^1];
        Assert.True(large.AsSpan().SequenceEqual(asked.Body));
        impatient.Stop();
        await served;
    }

    private static async Task ServeImpatientlyAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptSocketAsync();
                var buffer = new byte[512];
                await socket.ReceiveAsync(buffer);
                await socket.SendAsync("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
                // What is not read stays unread until the gateway gives the connection up.
                await Task.Delay(200);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
