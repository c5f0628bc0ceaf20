using System.Diagnostics;
using System.Net.Sockets;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>A network that is slow, stands still, swallows, or goes down, between the gateway and its upstream, and between a client and the gateway.</summary>
public sealed class LinkTests
{
    private const string Address = "ReverseProxy:Clusters:primary:Destinations:a:Address";

    /// <summary>Latency, jitter, and pieces that come late by what a retransmission takes; TunnelTests loses packets for real.</summary>
    [Theory]
    [InlineData(50, 50, 0.01)]
    [InlineData(200, 100, 0.05)]
    public async Task SlowAndUnsteadyLink_EveryStreamIsWhole(int latency, int jitter, double stalls)
    {
        var count = Figures.Size(40, 1000);
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = asked => NumberedStreams.Answer(asked, 20, TimeSpan.FromMilliseconds(20));
        await using var middle = TcpMiddle.Start(primary.Address);
        middle.Quality = new LinkQuality(TimeSpan.FromMilliseconds(latency), TimeSpan.FromMilliseconds(jitter), stalls, TimeSpan.FromMilliseconds(800));
        // Clocks for such a link; the usual ones of these tests are for none.
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", primary, ("Timeouts:Idle", "00:00:20"), ("Timeouts:FirstContent", "00:00:20"), ("Timeouts:ResponseHeaders", "00:00:20"))[Address] = middle.Address.ToString());
        // The clients' way is as bad.
        await using var near = TcpMiddle.Start(gateway.Http1);
        await using var near2 = TcpMiddle.Start(gateway.Http2);
        near.Quality = near2.Quality = middle.Quality;
        var streams = new NumberedStreams([("primary", primary)]);

        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 50, CancellationToken = TestContext.Current.CancellationToken }, async (n, _) => await streams.SendAsync(near.Address, near2.Address, n));

        await gateway.AssertIdleAsync();
        Figures.Write("link", $"latency {latency} ms + up to {jitter} ms each way, {stalls:P0} of pieces 800 ms late, both links, {count} streams: {streams.Endings()}; violations {streams.Judge().Count}");
        Assert.Empty(streams.Judge());
        Assert.Equal(count, gateway.Meter.By("proxygateway.request.duration", "outcome").GetValueOrDefault("completed"));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task BlackHoleInMidStream_Recovered(Wire wire)
    {
        var swallowed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = _ => Agents.Started(4).WaitFor(swallowed.Task).Events(Chat.Bytes(Chat.Default.Text("lost"))).Stall();
        await using var spare = ScriptedUpstream.Start();
        spare.Choose = asked => Agents.Good(asked, Agents.Other);
        await using var middle = TcpMiddle.Start(primary.Address);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", primary, ("Timeouts:Idle", "00:00:01"), ("Timeouts:Replay", "00:00:01")).Cluster("spare", spare).Fallback("primary", "spare")[Address] = middle.Address.ToString());
        var since = Stopwatch.StartNew();
        var stream = gateway.StreamAsync(wire);
        await NumberedStreams.BegunAsync(primary, 1);
        // What was sent before must be across.
        await Task.Delay(200, TestContext.Current.CancellationToken);

        middle.BlackHole();
        swallowed.SetResult();
        var result = await stream;

        Figures.Write("link", $"black hole in mid-stream, idle clock 1 s, replay clock 1 s ({wire}): recovered after {since.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal((200, Agents.WholeText, true), (result.Status, result.Text(), result.IsDone()));
        middle.Cut();
        middle.Heal();
        // The gateway left a connection that could not tell its peer so.
        await gateway.AssertContractAsync(result, change: t => t with { Attempts = [.. t.Attempts.Where(a => a.Status != 0).Select(a => a.Cluster == "primary" ? a with { MayHaveLostBytes = true, Ending = AttemptEnding.Broken } : a)], Counters = null });
        Assert.Equal(1, gateway.Meter.By("proxygateway.request.duration", "outcome").GetValueOrDefault("recovered"));
    }

    [Fact]
    public async Task BlackHoleAtConnect_FallbackAfterTheConnectClock()
    {
        using var silent = new SilentEndpoint();
        await using var spare = ScriptedUpstream.Start();
        spare.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", silent.Address, ("Timeouts:Connect", "00:00:00.5")).Cluster("spare", spare).Fallback("primary", "spare"));

        var result = await gateway.StreamAsync();

        Figures.Write("link", $"black hole at connect, connect clock 0.5 s: the fallback's answer after {result.EndedAt.TotalSeconds:0.0} s");
        Assert.Equal((200, Agents.WholeText, true), (result.Status, result.Text(), result.IsDone()));
        Assert.True(result.EndedAt > TimeSpan.FromSeconds(0.4), $"{result.EndedAt}");
        Assert.Equal(1, gateway.Meter.Count("proxygateway.stream.failures", ("reason", "connect_timeout")));
        await gateway.AssertContractAsync(result, change: t => t with { Counters = null });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(400)]
    public async Task UpstreamHalfClosesAfterHeaders_Recovered(int more)
    {
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = asked => asked.AsksForStream ? Agents.Started(9).Stall() : UpstreamScript.Json(Agents.WholeAnswer);
        await using var middle = TcpMiddle.Start(primary.Address);
        var head = "HTTP/1.1 200 Scripted\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".Length;
        middle.HalfCloseAfter = head + more;
        await using var spare = ScriptedUpstream.Start();
        spare.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", primary).Cluster("spare", spare).Fallback("primary", "spare")[Address] = middle.Address.ToString());

        var result = await gateway.StreamAsync();

        Assert.Equal((200, Agents.WholeText, true), (result.Status, result.Text(), result.IsDone()));
        // Long before the idle clock: the FIN itself is the fault.
        Assert.Equal(["ended_early"], gateway.Meter.By("proxygateway.stream.failures", "reason").Keys);
        await gateway.AssertContractAsync(result, change: t => t with { Attempts = [.. t.Attempts.Select(a => a is { Cluster: "primary", Kind: AttemptKind.Streaming } ? a with { MayHaveLostBytes = true, Ending = AttemptEnding.Broken } : a)], Counters = null });
    }

    /// <summary>A client that closes its side has left, as for most servers: RFC 9112 9.6 lets it, and a proxy that waited would keep on paying for nobody.</summary>
    [Fact]
    public async Task ClientHalfClosesAfterItsRequest_CountsAsGone()
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).Stall(TimeSpan.FromSeconds(20)));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:Idle", "00:00:20")));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(gateway.Http1.Host, gateway.Http1.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(SlowClientTests.RequestBytes(Chat.Default.Request()), TestContext.Current.CancellationToken);
        await NumberedStreams.BegunAsync(upstream, 1);

        socket.Shutdown(SocketShutdown.Send);

        await GatewayFixture.EventuallyAsync(() => upstream.Exchanges[0].Ended.IsCompleted, "the upstream was not left");
        await gateway.AssertIdleAsync();
        var received = 0;
        var buffer = new byte[64 * 1024];
        var text = "";
        while ((received = await ReceiveAsync(socket, buffer)) > 0)
        {
            text += System.Text.Encoding.UTF8.GetString(buffer, 0, received);
        }

        // No terminal and no clean end for whoever may still be reading.
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\n0\r\n\r\n", text, StringComparison.Ordinal);
        Assert.Equal(1, gateway.Meter.By("proxygateway.request.duration", "outcome").GetValueOrDefault("client_gone"));
        Assert.Equal(1, upstream.RequestCount);
    }

    [Fact]
    public async Task UpstreamRestartsUnderLoad_AllRecoveredOrHonestlyEnded()
    {
        var (seconds, restarts) = (Figures.Size(3, 60), Figures.Size(2, 20));
        await using var primary = ScriptedUpstream.Start();
        await using var spare = ScriptedUpstream.Start();
        primary.Choose = spare.Choose = asked => NumberedStreams.Answer(asked, 20, TimeSpan.FromMilliseconds(25));
        await using var middle = TcpMiddle.Start(primary.Address);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", primary, ("Retry:Budget", "1"), ("CircuitBreaker:BreakDuration", "00:00:00.5")).Cluster("spare", spare).Fallback("primary", "spare")[Address] = middle.Address.ToString());
        var streams = new NumberedStreams([("primary", primary), ("spare", spare)], "spare");
        using var stop = new CancellationTokenSource();
        var load = Task.WhenAll(Enumerable.Range(0, 20).Select(async client =>
        {
            for (var n = client; !stop.IsCancellationRequested; n += 20)
            {
                await streams.SendAsync(gateway.Http1, gateway.Http2, n);
            }
        }));

        for (var i = 0; i < restarts; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds((double)seconds / restarts) - TimeSpan.FromSeconds(0.5), TestContext.Current.CancellationToken);
            await middle.GoDownAsync();
            await Task.Delay(TimeSpan.FromSeconds(0.5), TestContext.Current.CancellationToken);
            middle.ComeBack();
        }

        await stop.CancelAsync();
        await load;
        await gateway.AssertIdleAsync();
        var outcomes = gateway.Meter.By("proxygateway.request.duration", "outcome");
        var violations = streams.Judge();
        Figures.Write("restart", $"upstream down for 0.5 s, {restarts} times in {seconds} s, 20 streams at a time: {streams.Count} streams, {streams.Endings()}; outcomes {string.Join(", ", outcomes.Where(o => o.Value > 0).Select(o => $"{o.Key} {o.Value}"))}; violations {violations.Count}");
        Assert.True(violations.Count == 0, string.Join('\n', violations.Take(10)));
        Assert.Equal(streams.Count, outcomes.Values.Sum());
        Assert.True(outcomes.GetValueOrDefault("recovered") > 0, "nobody was hit");
        Assert.Equal(streams.Count, outcomes.GetValueOrDefault("completed") + outcomes.GetValueOrDefault("recovered"));
    }

    private static async Task<int> ReceiveAsync(Socket socket, byte[] buffer)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
