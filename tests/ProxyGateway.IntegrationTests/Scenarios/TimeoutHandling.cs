using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class TimeoutHandling
{
    // The clock under test is short, all others are so long that the test would fail on them.
    private static readonly (string Option, string Value)[] Long =
    [
        ("Timeouts:ResponseHeaders", "00:01:00"), ("Timeouts:FirstContent", "00:01:00"), ("Timeouts:Idle", "00:01:00"), ("Timeouts:Replay", "00:01:00"),
    ];

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public Task SilentBeforeHeaders_HeadersClockFires(Wire wire) =>
        ClockFires(wire, UpstreamScript.NeverAnswer, "ResponseHeaders", "response_headers_timeout", "headers");

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public Task SilentBeforeContent_FirstContentClockFires(Wire wire) =>
        ClockFires(wire, UpstreamScript.EventStream().Body(": processing\n\n").Stall(), "FirstContent", "first_content_timeout", "first_content");

    [Fact]
    public Task OnlyCommentsBeforeContent_FirstContentClockFires()
    {
        var script = UpstreamScript.EventStream();
        for (var i = 0; i < 200; i++)
        {
            script = script.Body(i % 2 == 0 ? ": processing\n\n" : Chat.Default.Role()).Delay(TimeSpan.FromMilliseconds(50));
        }

        return ClockFires(Wire.Http1, script, "FirstContent", "first_content_timeout", "first_content");
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public Task SilentBetweenContents_IdleClockFires(Wire wire) => ClockFires(wire, Agents.Started(3).Stall(), "Idle", "idle_timeout", "content");

    [Fact]
    public Task OnlyCommentsAndEmptyDeltasBetweenContents_IdleClockFires()
    {
        var script = Agents.Started(3);
        for (var i = 0; i < 200; i++)
        {
            script = script.Body(i % 2 == 0 ? ": ping\n\n" : Chat.Default.Text("")).Delay(TimeSpan.FromMilliseconds(50));
        }

        return ClockFires(Wire.Http1, script, "Idle", "idle_timeout", "content");
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task SilentReplay_ItsOwnShorterClockFires(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).ThenReset(), UpstreamScript.NeverAnswer);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, [.. Long, ("Timeouts:Replay", "00:00:00.4")]));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal("upstream_truncated", result.ErrorCode());
        Assert.InRange(result.EndedAt, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(8));
        await gateway.AssertContractAsync(result);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.stream.failures", ("reason", "replay_timeout")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NonStreamingClient_HasAClockOfItsOwnForTheWholeAnswer(bool trickles)
    {
        var script = new UpstreamScript().Head(200, "application/json");
        for (var i = 0; i < 200; i++)
        {
            script = script.Body(" ").Delay(TimeSpan.FromMilliseconds(50));
        }

        await using var upstream = ScriptedUpstream.Start(trickles ? script : UpstreamScript.NeverAnswer);
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
            s.Cluster("primary", upstream, [.. Long, ("Timeouts:Answer", "00:00:00.4")]).Cluster("droid", droid).Fallback("primary", "droid"));
        var request = Chat.Default.Request(stream: false);

        var result = await gateway.SendAsync(Wire.Http1, request);

        Assert.Equal((200, "droid"), (result.Status, result.Header("x-gateway-cluster")));
        Assert.InRange(result.EndedAt, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(8));
        await gateway.AssertContractAsync(result, request);
        Assert.Contains("fault answer_timeout at headers", Assert.Single(gateway.Log.Exchanges), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NonStreamingClientGetsSomethingUnknown_NoClockCutsItOff()
    {
        var script = new UpstreamScript().Head(200, "audio/mpeg");
        for (var i = 0; i < 20; i++)
        {
            script = script.Body("abc").Delay(TimeSpan.FromMilliseconds(50));
        }

        await using var upstream = ScriptedUpstream.Start(script.EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, [.. Long, ("Timeouts:Answer", "00:00:00.4")]));

        var result = await gateway.SendAsync(Wire.Http1, Chat.Default.Request(stream: false));

        Assert.Equal((200, 60, ClientEnding.Clean), (result.Status, result.Body.Length, result.Ending));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task EverythingSilent_RecoveryDeadlineEndsIt(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).ThenReset());
        upstream.Default = UpstreamScript.NeverAnswer;
        await using var droid = ScriptedUpstream.Start();
        droid.Default = UpstreamScript.NeverAnswer;
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("RecoveryTimeout", "00:00:00.8"), ("MaxAttempts", "10"))
            .Cluster("primary", upstream, Long).Cluster("droid", droid, Long).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal("upstream_truncated", result.ErrorCode());
        Assert.InRange(result.EndedAt, TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(8));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task SilentAndNoOtherWay_TimeoutIsTheAnswer(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.NeverAnswer;
        await using var gateway = await GatewayFixture.StartAsync(s =>
            s.Cluster("primary", upstream, [.. Long, ("Timeouts:ResponseHeaders", "00:00:00.3"), ("Timeouts:Replay", "00:00:00.3")]));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((504, "upstream_timeout", "false"), (result.Status, result.ErrorCode(), result.Header("x-should-retry")));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task SilentForLong_HeadersAndHeartbeatsGoOutAndTheAnswerStillComes(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.NeverAnswer);
        await using var droid = ScriptedUpstream.Start(UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(600)).Events(Agents.WholeStream).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("CommitAfter", "00:00:00.3"), ("HeartbeatInterval", "00:00:00.2"))
            .Cluster("primary", upstream, ("Timeouts:ResponseHeaders", "00:00:00.7")).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, ClientEnding.Clean), (result.Status, result.Ending));
        Assert.StartsWith(Chat.Heartbeat, result.Text, StringComparison.Ordinal);
        Assert.Equal(Agents.WholeText, result.Text());
        await gateway.AssertContractAsync(result);
    }

    private static async Task ClockFires(Wire wire, UpstreamScript silent, string clock, string reason, string phase)
    {
        await using var upstream = ScriptedUpstream.Start(silent);
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        upstream.Choose = asked => asked.Number == 1 ? null : Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
            s.Cluster("primary", upstream, [.. Long, ($"Timeouts:{clock}", "00:00:00.4")]).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, ClientEnding.Clean), (result.Status, result.Ending));
        Assert.Equal(Agents.WholeText, result.Text());
        Assert.InRange(result.EndedAt, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(10));
        await gateway.AssertContractAsync(result);
        Assert.Contains($"cluster primary, fault {reason} at {phase}", Assert.Single(gateway.Log.Exchanges), StringComparison.Ordinal);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.stream.failures", ("reason", reason), ("phase", phase)));

        // Who was silent before any content is not asked again while another cluster is left.
        Assert.Equal(clock == "Idle" ? (2, 0) : (1, 1), (upstream.RequestCount, droid.RequestCount));
    }
}
