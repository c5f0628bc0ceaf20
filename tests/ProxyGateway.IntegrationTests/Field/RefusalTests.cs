using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>What providers do before an answer: refuse, throttle, reset, keep silent.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData(Wire.Http1, "Retry-After", "1")]
    [InlineData(Wire.Http2, "Retry-After", "1")]
    [InlineData(Wire.Http1, "retry-after-ms", "700")]
    public async Task TooManyRequestsWithShortRetryAfter_IsWaitedForAndAskedOnceMore(Wire wire, string header, string value)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Error(429, (header, value)), UpstreamScript.Stream(Agents.WholeStream));
        await using var droid = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, Agents.WholeText), (result.Status, result.Text()));
        Assert.Equal((2, 0), (upstream.RequestCount, droid.RequestCount));
        Assert.InRange(upstream.Exchanges[1].At - upstream.Exchanges[0].At, TimeSpan.FromMilliseconds(650), TimeSpan.FromSeconds(8));
        Assert.True(upstream.Exchanges[1].AsksForStream);
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task RequestThatCameThroughTooManyGateways_Is508AndGoesNoFurther()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var looped = await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), call => call with { Headers = [.. call.Headers, new("x-gateway-hops", "4")] });
        Assert.Equal((508, 0), (looped.Status, upstream.RequestCount));
        Assert.Contains("loop_detected", System.Text.Encoding.UTF8.GetString(looped.Body));
        await gateway.AssertContractAsync(looped);

        var passed = await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), call => call with { Headers = [.. call.Headers, new("x-gateway-hops", "2")] });
        Assert.Equal(200, passed.Status);
        Assert.Contains(upstream.Exchanges[0].Headers, h => h.Key.Equals("x-gateway-hops", StringComparison.OrdinalIgnoreCase) && h.Value == "3");
    }

    [Fact]
    public async Task TooManyRequestsWithRetryAfterAsDate_IsUnderstood()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => asked.Number == 1
            ? Agents.Error(429, ("Retry-After", DateTimeOffset.UtcNow.AddSeconds(2).ToString("r", System.Globalization.CultureInfo.InvariantCulture)))
            : Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync();

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.InRange(upstream.Exchanges[1].At - upstream.Exchanges[0].At, TimeSpan.FromMilliseconds(800), TimeSpan.FromSeconds(8));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task TooManyRequestsWithLongRetryAfter_FallbackAtOnceAndTheCircuitOpensForIt(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Error(429, ("Retry-After", "120")));
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((Agents.WholeText, "droid"), (result.Text(), result.Header("x-gateway-cluster")));
        await gateway.AssertContractAsync(result);
        Assert.InRange(gateway.Circuits.Get("primary").Cluster.TimeToHalfOpen, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(135));
        await gateway.StreamAsync(wire);
        Assert.Equal((1, 2), (upstream.RequestCount, droid.RequestCount));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task TooManyRequestsWithLongRetryAfterAndNoFallback_UpstreamsAnswerIsRelayed(Wire wire)
    {
        var body = Chat.ErrorBody("slow down", "rate_limit", "rate_limit_exceeded");
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(429, body, ("Retry-After", "120"), ("x-ratelimit-remaining", "0")));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((429, "120", "0"), (result.Status, result.Header("Retry-After"), result.Header("x-ratelimit-remaining")));
        Assert.Equal(body, result.Body);
        Assert.Equal(1, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task TooManyRequestsAlways_AskedTwiceThenRelayed(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = Agents.Error(429);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((429, "false"), (result.Status, result.Header("x-should-retry")));
        Assert.Equal(Chat.ErrorBody(), result.Body);
        Assert.Equal(2, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task InternalServerErrorOnce_ClientSeesNothingOfIt(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Error(500), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((200, Agents.WholeText), (result.Status, result.Text()));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task InternalServerErrorOnceWithoutStreaming_ClientSeesNothingOfIt(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Error(500), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var request = Chat.Default.Request(stream: false);
        var result = await gateway.SendAsync(wire, request);

        Assert.Equal(200, result.Status);
        Assert.Equal(Agents.WholeAnswer, result.Body);
        await gateway.AssertContractAsync(result, request);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ServiceUnavailableAlways_GatewaysOwnErrorWithoutTheUpstreamsWords(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.Json(503, """{"error":{"message":"at Agent.Secret.Run() in agent.py line 7"}}"""u8.ToArray());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((502, "upstream_error", "false"), (result.Status, result.ErrorCode(), result.Header("x-should-retry")));
        Assert.DoesNotContain("agent.py", result.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(gateway.Log.All, l => l.Contains("agent.py", StringComparison.Ordinal));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ResetBeforeHeaders_ReplayAnswers(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.ResetAtOnce, UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task AcceptsAndNeverAnswers_FallbackAnswers(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.NeverAnswer;
        await using var droid = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", upstream, ("Timeouts:ResponseHeaders", "00:00:00.3")).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((Agents.WholeText, 1), (result.Text(), upstream.RequestCount));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, 400)]
    [InlineData(Wire.Http2, 401)]
    [InlineData(Wire.Http1, 403)]
    [InlineData(Wire.Http1, 404)]
    [InlineData(Wire.Http1, 413)]
    [InlineData(Wire.Http2, 422)]
    public async Task ClientError_IsRelayedByteForByteAndNobodyElseIsAsked(Wire wire, int status)
    {
        var body = """ {"error" : {"message":"caf\u00e9","type":"invalid_request_error","param":"x","code":null}, "more":[1.0]}  """u8.ToArray();
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(status, body, ("x-upstream", "yes"), ("x-gateway-cluster", "forged")));
        await using var droid = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((status, "application/json", "yes", "primary"), (result.Status, result.Header("Content-Type"), result.Header("x-upstream"), result.Header("x-gateway-cluster")));
        Assert.Equal(body, result.Body);
        Assert.Null(result.Header("x-should-retry"));
        Assert.Equal((1, 0), (upstream.RequestCount, droid.RequestCount));
        await gateway.AssertContractAsync(result);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "relayed")));
        Assert.Equal(0, gateway.Circuits.Get("primary").Cluster.Snapshot().FailuresInARow);
    }

    [Theory]
    [InlineData(Wire.Http1, 400)]
    [InlineData(Wire.Http2, 400)]
    [InlineData(Wire.Http1, 500)]
    public async Task ContextLengthExceeded_GoesStraightToTheFallback(Wire wire, int status)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(status, Chat.ErrorBody("too long", "invalid_request_error", "context_length_exceeded")));
        await using var droid = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.Equal((1, 1), (upstream.RequestCount, droid.RequestCount));
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task ContextLengthExceededWithoutFallback_IsRelayed()
    {
        var body = Chat.ErrorBody("too long", "invalid_request_error", "context_length_exceeded");
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(400, body));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync();

        Assert.Equal(400, result.Status);
        Assert.Equal(body, result.Body);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1, 400)]
    [InlineData(Wire.Http2, 400)]
    [InlineData(Wire.Http1, 500)]
    public async Task ContentPolicyViolation_IsNeverRoutedAround(Wire wire, int status)
    {
        var body = Chat.ErrorBody("no", "invalid_request_error", "content_policy_violation");
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(status, body));
        await using var droid = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync(wire);

        Assert.InRange(result.Status!.Value, 400, 599);
        Assert.Equal((1, 0), (upstream.RequestCount, droid.RequestCount));
        if (status == 400)
        {
            Assert.Equal(body, result.Body);
        }

        await gateway.AssertContractAsync(result);
    }
}
