using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>An HTTP/2 upstream that goes away as servers do when they are replaced.</summary>
public sealed class GoAwayTests
{
    [Fact]
    public async Task WhileStreamsRun_TheyFinishAndNewRequestsGoToAnotherConnection()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = FramedHttp2Upstream.Start();
        upstream.Choose = asked => asked.Number <= 5
            ? Agents.Started(3).WaitFor(gone.Task).Events(Chat.Bytes([.. Agents.Words[3..].Select(w => Chat.Default.Text(w)), Chat.Default.Finish(), Chat.Done])).EndClean()
            : Agents.Good(asked);
        await using var gateway = await StartAsync(upstream);
        var running = Enumerable.Range(1, 5).Select(n => gateway.SendAsync(Wire.Http1, Request(n))).ToList();
        await NumberedStreams.BegunAsync(upstream, 5);

        await upstream.GoAwayAsync();
        List<HttpResult> later = [await gateway.SendAsync(Wire.Http1, Request(6)), await gateway.SendAsync(Wire.Http1, Request(7))];
        gone.SetResult();
        List<HttpResult> results = [.. await Task.WhenAll(running), .. later];

        Assert.All(results, r => Assert.Equal((200, Agents.WholeText, true), (r.Status, r.Text(), r.IsDone())));
        Assert.Empty(upstream.Exchanges.Take(5).Select(e => e.Connection).Intersect(upstream.Exchanges.Skip(5).Select(e => e.Connection)));
        await AssertContractAsync(gateway, upstream, results);
        Assert.Equal(7, gateway.Meter.By("proxygateway.request.duration", "outcome")["completed"]);
    }

    /// <summary>The HTTP client asks again by itself: no attempt, no budget, no circuit hears of it.</summary>
    [Fact]
    public async Task InsteadOfAnAnswer_TheRequestIsSentAgainAtNoCost()
    {
        var refused = 0;
        await using var upstream = FramedHttp2Upstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        upstream.Refuse = _ => Interlocked.Increment(ref refused) == 2;
        await using var gateway = await StartAsync(upstream);

        List<HttpResult> results = [await gateway.SendAsync(Wire.Http1, Request(1)), await gateway.SendAsync(Wire.Http1, Request(2)), await gateway.SendAsync(Wire.Http1, Request(3))];

        Assert.All(results, r => Assert.Equal((200, Agents.WholeText, true, "1"), (r.Status, r.Text(), r.IsDone(), r.Header("x-gateway-attempts"))));
        Assert.Equal(4, refused);
        Assert.Equal([1, 2, 2], upstream.Exchanges.Select(e => e.Connection));
        await AssertContractAsync(gateway, upstream, results);
        Assert.Equal(3, gateway.Meter.Count("proxygateway.upstream.attempts"));
        Assert.Equal(3, gateway.Meter.By("proxygateway.request.duration", "outcome")["completed"]);
    }

    private static Task<GatewayFixture> StartAsync(FramedHttp2Upstream upstream) => GatewayFixture.StartAsync(s =>
    {
        // No clock shall hide that a request was lost with its connection.
        s.Cluster("primary", upstream, ("Timeouts:ResponseHeaders", "00:00:30"), ("Timeouts:FirstContent", "00:00:30"), ("Timeouts:Idle", "00:00:30"));
        s["ReverseProxy:Clusters:primary:HttpRequest:Version"] = "2";
        s["ReverseProxy:Clusters:primary:HttpRequest:VersionPolicy"] = "RequestVersionExact";
    });

    private static async Task AssertContractAsync(GatewayFixture gateway, FramedHttp2Upstream upstream, List<HttpResult> results)
    {
        await gateway.AssertIdleAsync();
        foreach (var (n, result) in results.Index())
        {
            gateway.AssertContract(result, Request(n + 1), upstream.Exchanges.Where(e => e.Body.AsSpan().SequenceEqual(Request(n + 1))).Select(e => ("primary", e)));
        }
    }

    private static byte[] Request(int n) => Chat.Default.Request(prompt: $"no. {n}");
}
