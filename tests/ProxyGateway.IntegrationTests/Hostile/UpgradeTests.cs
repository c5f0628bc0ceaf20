using System.Net;
using System.Net.WebSockets;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>A connection changes its protocol only on a route that says so.</summary>
public sealed class UpgradeTests
{
    private const string Handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    [Theory]
    [InlineData("/plain")]
    [InlineData("/v1/chat/completions")]
    public async Task RouteThatSaysNothing_IgnoresTheUpgrade(string path)
    {
        await using var upstream = StrictUpstream.Start("text/plain", "ok"u8.ToArray());
        await using var gateway = await StartAsync(upstream);

        foreach (var wanted in new[] { Handshake, "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" })
        {
            var exchange = await RawExchange.SendAsync(gateway.Http1, DesyncTests.Bytes($"GET {path} HTTP/1.1\r\nHost: a\r\n{wanted}"), TimeSpan.FromSeconds(1));
            Assert.Equal([200], exchange.Statuses);
        }

        Assert.Equal(2, upstream.Requests.Count);
        Assert.All(upstream.Requests, r => Assert.DoesNotContain("upgrade", r.Head, StringComparison.OrdinalIgnoreCase));
        Assert.All(upstream.Requests, r => Assert.DoesNotContain("HTTP2-Settings", r.Head, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/socket")]
    [InlineData("/socket2")]
    public async Task RouteForUpgrades_PassesThemOn(string path)
    {
        await using var upstream = StrictUpstream.Start("text/plain", "ok"u8.ToArray());
        await using var gateway = await StartAsync(upstream);

        await RawExchange.SendAsync(gateway.Http1, DesyncTests.Bytes($"GET {path} HTTP/1.1\r\nHost: a\r\n{Handshake}"), TimeSpan.FromSeconds(1));

        var head = Assert.Single(upstream.Requests).Head;
        Assert.Contains("Upgrade: websocket", head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("CONNECT 127.0.0.1:{0} HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\n\r\n")]
    [InlineData("CONNECT /plain HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("CONNECT http://127.0.0.1:{0}/plain HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\n\r\n")]
    public async Task Connect_MakesNoTunnel(string request)
    {
        await using var upstream = StrictUpstream.Start("text/plain", "ok"u8.ToArray());
        await using var gateway = await StartAsync(upstream);

        var exchange = await RawExchange.SendAsync(
            gateway.Http1, DesyncTests.Bytes(string.Format(System.Globalization.CultureInfo.InvariantCulture, request, upstream.Address.Port)), TimeSpan.FromSeconds(1));

        Assert.InRange(Assert.Single(exchange.Statuses), 400, 499);
        Assert.Empty(upstream.Requests);
        Assert.Empty(upstream.Complaints);
    }

    [Theory]
    [InlineData("/plain", 0)]
    [InlineData("/v1/chat/completions", 0)]
    [InlineData("/socket2", 1)]
    public async Task WebSocketOverHttp2_NeedsARouteForIt(string path, int reached)
    {
        await using var upstream = StrictUpstream.Start("text/plain", "ok"u8.ToArray());
        await using var gateway = await StartAsync(upstream);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });

        // The upstream is no WebSocket server; what matters is whether it was asked.
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new UriBuilder(gateway.Http2) { Scheme = "ws", Path = path }.Uri, client, TestContext.Current.CancellationToken));

        Assert.Equal(reached, upstream.Requests.Count);
    }

    private static Task<GatewayFixture> StartAsync(StrictUpstream upstream) => GatewayFixture.StartAsync(s =>
    {
        s.Cluster("primary", upstream.Address);
        foreach (var (route, path) in new[] { ("all", "/{**rest}"), ("socket", "/socket"), ("socket2", "/socket2") })
        {
            s[$"ReverseProxy:Routes:{route}:ClusterId"] = "primary";
            s[$"ReverseProxy:Routes:{route}:Match:Path"] = path;
        }

        s["ReverseProxy:Routes:socket:Match:Headers:0:Name"] = "Upgrade";
        s["ReverseProxy:Routes:socket:Match:Headers:0:Values:0"] = "websocket";
        s["ReverseProxy:Routes:socket2:Match:Headers:0:Name"] = "Sec-WebSocket-Version";
        s["ReverseProxy:Routes:socket2:Match:Headers:0:Mode"] = "Exists";
    });
}
