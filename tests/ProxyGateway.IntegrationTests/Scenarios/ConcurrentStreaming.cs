using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class ConcurrentStreaming
{
    [Theory]
    [InlineData(Wire.Http1, 10)]
    [InlineData(Wire.Http2, 10)]
    [InlineData(Wire.Http1, 1000)]
    public async Task EveryFifthUpstreamDies_EachClientGetsItsOwnTextWhole(Wire wire, int streams)
    {
        // The prompt says whose answer it is; every fifth stream dies at a place of its own, a replay is always whole.
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked =>
        {
            var i = Number(asked.Body);
            return !asked.AsksForStream ? UpstreamScript.Json(Chat.Default.Completion(string.Concat(Words(i))))
                : i % 5 == 0 ? UpstreamScript.EventStream().Events(Chat.Bytes([Chat.Default.Role(), .. Words(i).Take(i % 7).Select(w => Chat.Default.Text(w))])).CloseWithoutTerminator()
                : UpstreamScript.EventStream().Events(Chat.Default.Stream(Words(i)), streams <= 10 ? TimeSpan.FromMilliseconds(5) : default).EndClean();
        };
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("RecoveryTimeout", "00:01:00"))
            .Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "10000"), ("Retry:Budget", "1"), ("Timeouts:ResponseHeaders", "00:01:00"), ("Timeouts:FirstContent", "00:01:00"), ("Timeouts:Idle", "00:01:00"), ("Timeouts:Replay", "00:01:00")));

        using var gate = new SemaphoreSlim(200);
        var results = await Task.WhenAll(Enumerable.Range(0, streams).Select(async i =>
        {
            await gate.WaitAsync(TestContext.Current.CancellationToken);
            try
            {
                return await gateway.SendAsync(wire, Request(i), call => call with { Timeout = TimeSpan.FromMinutes(1) });
            }
            finally
            {
                gate.Release();
            }
        }));

        await gateway.AssertIdleAsync();
        var calls = gateway.Calls.ToLookup(c => Number(c.Exchange.Body));
        for (var i = 0; i < streams; i++)
        {
            Assert.Equal(string.Concat(Words(i)), results[i].Text());
            gateway.AssertContract(results[i], Request(i), calls[i]);
        }

        Assert.Equal(streams, gateway.Meter.Count("proxygateway.request.duration"));
        Assert.Equal((streams + 4) / 5, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "recovered")));
        Assert.Equal(streams - ((streams + 4) / 5), gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")));
    }

    private static string[] Words(int i) => [.. Enumerable.Range(0, 12).Select(w => $"{i}-{w} ")];

    private static byte[] Request(int i) => Chat.Default.Request(prompt: $"#{i}#");

    private static int Number(byte[] body) =>
        int.Parse(System.Text.Encoding.UTF8.GetString(body).Split('#')[1], System.Globalization.CultureInfo.InvariantCulture);
}
