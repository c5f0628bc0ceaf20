using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class FallbackOnlyOnce
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task EverythingFails_StreamReplayFallbackThenTheFirstFaultsError(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.ResetAtOnce);
        upstream.Default = Agents.Error(503);
        await using var droid = ScriptedUpstream.Start();
        droid.Default = Agents.Error(500);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("MaxAttempts", "10"))
            .Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid").Fallback("droid", "primary"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((502, "upstream_truncated", "false"), (result.Status, result.ErrorCode(), result.Header("x-should-retry")));
        Assert.Equal([("primary", true), ("primary", false), ("droid", true)], gateway.Calls.Select(c => (c.Cluster, c.Exchange.AsksForStream)));
        await gateway.AssertContractAsync(result);
        Assert.Contains("exchange failed: route chat, cluster primary, fault connection_reset", Assert.Single(gateway.Log.Exchanges), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task EverythingFailsAfterContent_StreamReplayFallbackThenTheErrorEvent(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(2).ThenReset());
        upstream.Default = Agents.Error(503);
        await using var droid = ScriptedUpstream.Start();
        droid.Default = Agents.Error(500);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("MaxAttempts", "10"))
            .Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid").Fallback("droid", "primary"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, "upstream_truncated"), (result.Status, result.ErrorCode()));
        Assert.Equal([("primary", true), ("primary", false), ("droid", false)], gateway.Calls.Select(c => (c.Cluster, c.Exchange.AsksForStream)));
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task MaxAttempts_IsTheEndOfIt()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var droid = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("MaxAttempts", "2")).Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync();

        Assert.Equal(502, result.Status);
        Assert.Equal((2, 0), (upstream.RequestCount, droid.RequestCount));
        await gateway.AssertContractAsync(result);
    }
}
