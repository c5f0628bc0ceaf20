using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class FallbackDisabled
{
    [Theory]
    [InlineData(Wire.Http1, null, 502)]
    [InlineData(Wire.Http2, null, 502)]
    [InlineData(Wire.Http1, 500, 500)]
    [InlineData(Wire.Http2, 500, 500)]
    public async Task FailureBeforeContent_ComesBackAtOnceWithItsReason(Wire wire, int? configured, int expected)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.ResetAtOnce);
        await using var droid = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid");
            s["AGENT_FALLBACK_ENABLED"] = "false";
            s["StreamingFallback:ErrorStatus"] = configured?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        });

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((expected, ClientEnding.Clean, "application/json"), (result.Status, result.Ending, result.Header("Content-Type")));
        Assert.Equal("upstream_truncated", result.ErrorCode());
        Assert.Contains("closed the connection", result.Text, StringComparison.Ordinal);
        Assert.Null(result.Header("x-should-retry"));
        Assert.Equal((1, 0), (upstream.RequestCount, droid.RequestCount));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task FailureInMidStream_EndsLoudlyWithoutASecondCall(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).ThenReset());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream)["FALLBACK_ENABLED"] = "0");

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(string.Concat(Agents.Words.Take(3)), result.Text());
        Assert.Equal("upstream_truncated", result.ErrorCode());
        Assert.Equal(1, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task OpenCircuit_FallbackClusterIsNotAskedEither()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1")).Cluster("droid", droid).Fallback("primary", "droid");
            s["AGENT_FALLBACK_ENABLED"] = "false";
        });

        await gateway.StreamAsync();
        var result = await gateway.StreamAsync();

        Assert.Equal((503, "circuit_open"), (result.Status, result.ErrorCode()));
        Assert.Equal((1, 0), (upstream.RequestCount, droid.RequestCount));
    }
}
