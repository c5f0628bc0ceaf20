using System.Diagnostics;
using System.Globalization;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>How answers end where their end is not the ordinary one.</summary>
public sealed class EndingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BrokenStreamOfAnHttp10Client_EndsInAReset(bool broken)
    {
        // The end of the connection is the end of such an answer, so only a reset says that something is missing.
        await using var upstream = ScriptedUpstream.Start(broken ? Agents.Started(3).ThenReset() : UpstreamScript.Stream(Agents.WholeStream));
        upstream.Default = Agents.Error(503);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var answer = await Http10Async(gateway.Http1, Chat.Default.Request());

        Assert.True(answer.ClosedByPeer);
        Assert.Equal((broken, broken, !broken), (answer.WasReset, answer.Received.Contains("\"error\"", StringComparison.Ordinal), answer.Received.Contains("[DONE]", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task EndMarkerWithoutAnEndOfTheBody_IsWaitedForNoLonger()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.EventStream().Events(Agents.WholeStream).Stall();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));
        var shortest = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var since = Stopwatch.GetTimestamp();
            var result = await gateway.StreamAsync();
            Assert.Equal((ClientEnding.Clean, Agents.WholeText), (result.Ending, result.Text()));
            var took = Stopwatch.GetElapsedTime(since);
            shortest = took < shortest ? took : shortest;
        }

        // Without an end marker a finished stream is waited for a whole second.
        Assert.True(shortest < TimeSpan.FromMilliseconds(900), $"{shortest}");
    }

    [Fact]
    public async Task OpenStreamingCircuit_StillAnswersAStream_WhereFailedOnesAreAnsweredAsJson()
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).ThenReset());
        upstream.Default = UpstreamScript.Json(Agents.WholeAnswer);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Chat("primary", ("ResponseFormat", "Json"))
            .Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1"), ("CircuitBreaker:BreakDuration", "00:05:00")));
        await gateway.StreamAsync();

        var result = await gateway.StreamAsync();

        Assert.False(upstream.Exchanges[^1].AsksForStream);
        Assert.Equal(("text/event-stream", Agents.WholeText, true), (result.Header("Content-Type"), result.Text(), result.IsDone()));
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task RefusedRequest_HasALineThatItsIdFinds()
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(Wire.Http1, "{\"secret\":"u8.ToArray());

        Assert.Equal(400, result.Status);
        var line = Assert.Single(gateway.Log.Exchanges);
        Assert.Contains($"exchange rejected: route chat, invalid_request (status 400), request {result.Header("x-request-id")}", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
    }

    private static Task<RawExchange> Http10Async(Uri address, byte[] body)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"POST /v1/chat/completions HTTP/1.0\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        return RawExchange.SendAsync(address, [.. Encoding.ASCII.GetBytes(head), .. body], quiet: TimeSpan.FromSeconds(5));
    }
}
