using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>Clients that take their time, by the hundred, and an ordinary one beside them.</summary>
public sealed class SlowClientTests
{
    private const long Megabyte = 1 << 20;

    [Fact]
    public async Task ClientsThatNeverRead_CostLittleAndHinderNobody()
    {
        var count = Figures.Size(100, 500);
        var word = Encoding.UTF8.GetBytes(Chat.Default.Text(new string('w', 4000)));
        byte[] chunk = [.. Encoding.ASCII.GetBytes($"{word.Length:x}\r\n"), .. word, .. "\r\n"u8];
        await using var flood = new FloodingUpstream("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, 64 * Megabyte);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s => s.Chat("primary", ("Models:flood", "flood")).Cluster("primary", upstream).Cluster("flood", flood.Address));
        for (var i = 0; i < 200; i++)
        {
            await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(10));
        }

        var idle = gateway.Resident;
        var request = RequestBytes(new Chat { Model = "flood" }.Request());
        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 * 1024 };
                clients.Add(socket);
                await socket.ConnectAsync(gateway.Http1.Host, gateway.Http1.Port, TestContext.Current.CancellationToken);
                await socket.SendAsync(request, TestContext.Current.CancellationToken);
            }

            var taken = await SettledAsync(() => flood.Sent);
            await using var probe = new Probe(gateway.Http1, TimeSpan.FromMilliseconds(5));
            await Task.Delay(TimeSpan.FromSeconds(Figures.Size(2, 20)), TestContext.Current.CancellationToken);
            await probe.StopAsync();
            var more = flood.Sent - taken;
            var grown = gateway.Resident - idle;
            var allowed = (64 * Megabyte) + (count * 256 * 1024L);
            Figures.Write("never read", $"{count} clients; memory {idle / Megabyte} MB idle + {grown / Megabyte} MB (allowed {allowed / Megabyte}); {taken / Megabyte} MB taken from the upstream, then {more / 1024} KB more; "
                + $"others: {probe.Count} streams, {probe.Failures.Count} failed, p50 {probe.Percentile(50):0.0} ms, p99 {probe.Percentile(99):0.0} ms");

            Assert.Empty(probe.Failures);
            Assert.True(grown <= allowed, $"{grown / Megabyte} MB, allowed {allowed / Megabyte} MB");
            Assert.True(more <= count * 64 * 1024L, $"The upstream is still read: {more} bytes");
            // In the short form other tests have the processors; there, that they are answered at all is what counts.
            Assert.True(!Figures.IsNightly || probe.Percentile(99) < 50, $"p99 {probe.Percentile(99)} ms");
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }

        await gateway.AssertIdleAsync();
    }

    [Theory]
    [InlineData("headers", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-Slow: ")]
    [InlineData("body", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{")]
    [InlineData("chunks", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")]
    [InlineData("nothing", "")]
    public async Task ClientsThatNeverFinishTheirRequest_HinderNobody(string what, string begin)
    {
        var count = Figures.Size(200, 1000);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", upstream));
        await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(10));
        var idle = gateway.Resident;
        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                clients.Add(socket);
                await socket.ConnectAsync(gateway.Http1.Host, gateway.Http1.Port, TestContext.Current.CancellationToken);
                await socket.SendAsync(Encoding.Latin1.GetBytes(begin), TestContext.Current.CancellationToken);
            }

            await using var probe = new Probe(gateway.Http1, TimeSpan.FromMilliseconds(10));
            for (var second = 0; second < Figures.Size(2, 15); second++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
                foreach (var client in clients.Where(c => begin.Length > 0 && c.Connected))
                {
                    try
                    {
                        client.Send(what == "chunks" ? "1\r\n \r\n"u8 : " "u8);
                    }
                    catch (SocketException)
                    {
                        // Thrown out.
                    }
                }
            }

            await probe.StopAsync();
            Figures.Write($"slow {what}", $"{count} clients; memory {idle / Megabyte} MB idle + {(gateway.Resident - idle) / Megabyte} MB; others: {probe.Count} streams, {probe.Failures.Count} failed, p99 {probe.Percentile(99):0.0} ms");

            Assert.Empty(probe.Failures);
            Assert.True(gateway.Resident - idle < (64 * Megabyte) + (count * 128 * 1024L), $"{(gateway.Resident - idle) / Megabyte} MB");
            Assert.Equal(probe.Count + 1, upstream.RequestCount);
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    internal static byte[] RequestBytes(byte[] body) =>
        [.. Encoding.ASCII.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];

    /// <summary>Waits until a number has stopped rising.</summary>
    private static async Task<long> SettledAsync(Func<long> read)
    {
        var since = Stopwatch.StartNew();
        for (var last = -1L; since.Elapsed < TimeSpan.FromSeconds(60);)
        {
            var now = read();
            if (now == last && now > 0)
            {
                return now;
            }

            last = now;
            await Task.Delay(1000, TestContext.Current.CancellationToken);
        }

        Assert.Fail("The upstream never stopped being read.");
        return 0;
    }
}
