using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>A client's leave is final: its upstream call is cancelled, nothing further is asked, no breaker counts it.</summary>
public sealed class ClientLeavesTests
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task InMidStream_UpstreamCallIsCancelled(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).Stall());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:Idle", "00:01:00"), ("CircuitBreaker:FailureThreshold", "1")));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), LeaveAfterFirstBytes);

        Assert.Equal(ClientEnding.ClientLeft, result.Ending);
        await AssertLeftAsync(gateway, result, attempts: 1);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task InMidRecovery_ReplayIsCancelledAndNothingFurtherIsAsked(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).Delay(TimeSpan.FromMilliseconds(100)).Reset());
        upstream.Default = UpstreamScript.NeverAnswer;
        await using var droid = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("HeartbeatInterval", "00:00:00.2"))
            .Cluster("primary", upstream, ("Timeouts:Replay", "00:01:00"), ("CircuitBreaker:FailureThreshold", "1")).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with
        {
            LeaveWhen = body => System.Text.Encoding.UTF8.GetString(body).Contains(Chat.Heartbeat, StringComparison.Ordinal),
        });

        Assert.Equal(ClientEnding.ClientLeft, result.Ending);
        Assert.Equal(0, droid.RequestCount);
        await AssertLeftAsync(gateway, result, attempts: 2);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task BeforeHeaders_UpstreamCallIsCancelled(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.NeverAnswer);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:ResponseHeaders", "00:01:00"), ("CircuitBreaker:FailureThreshold", "1")));

        // A client with a short time limit of its own.
        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with { Timeout = TimeSpan.FromMilliseconds(600) });

        await AssertLeftAsync(gateway, result with { Ending = ClientEnding.ClientLeft }, attempts: 1);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task WhileRetryAfterIsWaitedFor_NothingFurtherIsAsked(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Error(429, ("Retry-After", "3")));
        await using var droid = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with { Timeout = TimeSpan.FromMilliseconds(800) });

        await gateway.AssertIdleAsync();
        Assert.Equal((1, 0), (upstream.RequestCount, droid.RequestCount));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "client_gone")));
        await gateway.AssertContractAsync(result with { Ending = ClientEnding.ClientLeft });
    }

    private static HttpCall LeaveAfterFirstBytes(HttpCall call) => call with { LeaveWhen = body => body.Length > 0 };

    private static async Task AssertLeftAsync(GatewayFixture gateway, HttpResult result, int attempts)
    {
        await gateway.AssertContractAsync(result);
        Assert.Equal(attempts, gateway.Calls.Count);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "client_gone")));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.upstream.attempts", ("result", "cancelled")));
        Assert.Equal(CircuitStatus.Closed, gateway.Circuits.Get("primary").Cluster.Status);
        Assert.DoesNotContain(gateway.Log.All, l => l.StartsWith("Error", StringComparison.Ordinal) || l.StartsWith("Critical", StringComparison.Ordinal));
    }
}
