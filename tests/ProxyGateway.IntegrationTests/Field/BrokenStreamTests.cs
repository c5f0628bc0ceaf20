using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>What providers do in the middle of an answer: cut, stall, lie.</summary>
public sealed class BrokenStreamTests
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task HeadersAtOnceFirstTokenLate_IsNoFault(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream().Delay(TimeSpan.FromSeconds(1)).Events(Agents.WholeStream).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:ResponseHeaders", "00:00:00.6"), ("Timeouts:Idle", "00:00:00.6")));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeStream, result.Body);
        Assert.Equal(1, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    public static TheoryData<Wire, string> Cuts()
    {
        var data = new TheoryData<Wire, string>();
        foreach (var wire in Enum.GetValues<Wire>())
        {
            foreach (var how in (string[])["reset", "fin", "close-delimited", "short-length", "bad-chunk", "clean"])
            {
                data.Add(wire, how);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task CutAtTwoThirds_RestIsSpliced(Wire wire, string how)
    {
        var stream = Agents.WholeStream;
        var cut = stream.Length * 2 / 3;
        var head = UpstreamScript.EventStream(how switch { "close-delimited" => BodyFraming.CloseDelimited, "short-length" => BodyFraming.ContentLength, _ => BodyFraming.Chunked }, stream.Length);
        var script = head.Events(stream[..cut]);
        await using var upstream = ScriptedUpstream.Start(
            how switch
            {
                "reset" => script.ThenReset(),
                "bad-chunk" => script.Delay(TimeSpan.FromMilliseconds(50)).BadChunk(),
                "close-delimited" or "clean" => script.EndClean(),
                _ => script.CloseWithoutTerminator(),
            },
            UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, ClientEnding.Clean, Agents.WholeText), (result.Status, result.Ending, result.Text()));
        Assert.Equal(2, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task StallInMidAnswer_RestIsSplicedAndTheStalledCallIsLeft(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(6).Stall(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:Idle", "00:00:00.4")));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.Equal(AttemptEnding.Stalled, await upstream.Exchanges[0].Ended);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task OneMalformedChunk_IsLeftOut(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).Body("data: {\"id\":\"chatcm\n\n").Events(Rest(3)).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeStream, result.Body);
        Assert.Equal(1, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ThreeMalformedChunksInARow_AreAFault(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(
            Agents.Started(3).Body("data: {\n\n").Body("data: oops\n\n").Body("data: {]\n\n").Events(Rest(3)).EndClean(),
            UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.Equal(1, gateway.Meter.Count("proxygateway.stream.failures", ("reason", "malformed_events")));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, true)]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    public async Task CompleteButNoDone_IsCompleteAndGetsIt(Wire wire, bool endsCleanly)
    {
        var script = UpstreamScript.EventStream().Events(Chat.Bytes([.. Chat.Default.Events([ChatChoice.Of(Agents.Words)], done: false)]));
        await using var upstream = ScriptedUpstream.Start(endsCleanly ? script.EndClean() : script.ThenReset());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeStream, result.Body);
        Assert.Equal((ClientEnding.Clean, 1), (result.Ending, upstream.RequestCount));
        await gateway.AssertContractAsync(result);
        Assert.Empty(gateway.Log.Exchanges);
    }

    [Theory]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, true)]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    public async Task FinishedAndThenSilent_EndsWithinTheGrace(Wire wire, bool done)
    {
        await using var upstream = ScriptedUpstream.Start(
            UpstreamScript.EventStream().Events(Chat.Bytes([.. Chat.Default.Events([ChatChoice.Of(Agents.Words)], done: done)])).Stall());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:Idle", "00:01:00")));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeStream, result.Body);
        Assert.InRange(result.EndedAt, TimeSpan.Zero, TimeSpan.FromSeconds(8));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, true)]
    public async Task ErrorEventInBand_IsAFaultWhateverFollows(Wire wire, bool falseDone)
    {
        var script = Agents.Started(4).Body("data: {\"error\":{\"message\":\"overloaded secret words\",\"code\":503}}\n\n");
        await using var upstream = ScriptedUpstream.Start(falseDone ? script.Body(Chat.Done).EndClean() : script.EndClean(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.DoesNotContain("overloaded", result.Text, StringComparison.Ordinal);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.stream.failures", ("reason", "error_event")));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, "application/json", "{\"error\":{\"message\":\"model is loading\",\"type\":\"server_error\"}}", "error_body")]
    [InlineData(Wire.Http2, "application/json", "{\"error\":{\"message\":\"model is loading\",\"type\":\"server_error\"}}", "error_body")]
    [InlineData(Wire.Http1, "text/html", "<html><body>Bad gateway</body></html>", "wrong_content_type")]
    [InlineData(Wire.Http2, "text/html", "<html><body>Bad gateway</body></html>", "wrong_content_type")]
    [InlineData(Wire.Http1, "text/event-stream", "", "empty_stream")]
    [InlineData(Wire.Http2, "text/event-stream", "", "empty_stream")]
    [InlineData(Wire.Http1, "text/event-stream", ": hello\n\ndata: [DONE]\n\n", "empty_stream")]
    public async Task SuccessThatIsNone_IsAFaultAndTheReplayAnswers(Wire wire, string type, string body, string reason)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(body);
        await using var upstream = ScriptedUpstream.Start(
            new UpstreamScript().Head(200, type, BodyFraming.ContentLength, bytes.Length).Body(bytes).EndClean(),
            UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, Agents.WholeText), (result.Status, result.Text()));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.stream.failures", ("reason", reason)));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task WholeJsonAnswerWhereAStreamWasAskedFor_BecomesAStream(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((Agents.WholeText, true, 1), (result.Text(), result.IsDone(), upstream.RequestCount));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task CutAndTheFallbackRefuses_ErrorEventAndNoFurtherAttempt(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(5).ThenReset(), Agents.Error(503));
        await using var droid = ScriptedUpstream.Start(UpstreamScript.Json(400, Chat.ErrorBody("assistant prefill is not supported", "invalid_request_error", "invalid_prefill")));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("MaxAttempts", "10")).Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((string.Concat(Agents.Words.Take(5)), "upstream_truncated"), (result.Text(), result.ErrorCode()));
        Assert.Equal((2, 1), (upstream.RequestCount, droid.RequestCount));
        Assert.DoesNotContain("prefill", result.Text, StringComparison.Ordinal);
        // A replay is the client's own request again, so there is no assistant prefill to refuse in the first place.
        Assert.DoesNotContain("assistant", System.Text.Encoding.UTF8.GetString(droid.Exchanges[0].Body), StringComparison.Ordinal);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, 2)]
    [InlineData(Wire.Http2, 2)]
    [InlineData(Wire.Http1, 8)]
    public async Task UpstreamHttp2Reset_RestIsSpliced(Wire wire, int code)
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(
            Agents.Started(5).Delay(TimeSpan.FromMilliseconds(150)).Reset(code), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task UpstreamHttp2GoAway_RestIsSplicedOverANewConnection(Wire wire)
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(
            Agents.Started(5).Delay(TimeSpan.FromMilliseconds(150)).CloseWithoutTerminator(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((Agents.WholeText, 2), (result.Text(), upstream.ConnectionsOpened));
        await gateway.AssertContractAsync(result);
    }

    private static byte[] Rest(int words) =>
        Chat.Bytes([.. Agents.Words.Skip(words).Select(w => Chat.Default.Text(w)), Chat.Default.Finish(), Chat.Done]);
}
