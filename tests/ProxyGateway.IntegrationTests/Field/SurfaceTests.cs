using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>What goes in and out besides the stream: ids, credentials, limits, routes that are none of ours.</summary>
public sealed class SurfaceTests
{
    private const string Secret = "sk-client-secret-123";

    private static IReadOnlyList<KeyValuePair<string, string>> Credentials =>
    [
        new("Content-Type", "application/json"), new("Authorization", "Bearer " + Secret), new("x-api-key", Secret), new("Cookie", "session=" + Secret),
        new("api-key", Secret), new("x-goog-api-key", Secret), new("Proxy-Authorization", "Basic " + Secret), new("X-Trace", "kept"),
    ];

    [Theory]
    [InlineData(Wire.Http1, null)]
    [InlineData(Wire.Http2, null)]
    [InlineData(Wire.Http1, "true")]
    public async Task ClientCredentials_GoToAFallbackOnlyIfItSaysSo(Wire wire, string? forward)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.ResetAtOnce);
        upstream.Default = Agents.Error(503);
        await using var droid = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s =>
            s.Cluster("primary", upstream).Cluster("droid", droid).Fallback("primary", "droid")["ReverseProxy:Clusters:droid:ForwardClientCredentials"] = forward);

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with { Headers = Credentials, Target = $"/v1/chat/completions?key={Secret}&trace=1" });

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.All(upstream.Exchanges, e => Assert.Equal(("Bearer " + Secret, Secret, "session=" + Secret), (e.Header("Authorization"), e.Header("x-api-key"), e.Header("Cookie"))));
        Assert.All(upstream.Exchanges, e => Assert.Contains(Secret, e.Target, StringComparison.Ordinal));
        var fallback = Assert.Single(droid.Exchanges);
        Assert.Equal("kept", fallback.Header("X-Trace"));
        Assert.Contains("trace=1", fallback.Target, StringComparison.Ordinal);
        if (forward is null)
        {
            Assert.DoesNotContain(Secret, fallback.Target, StringComparison.Ordinal);
            Assert.DoesNotContain(fallback.Headers, h => h.Value.Contains(Secret, StringComparison.Ordinal));
        }
        else
        {
            Assert.Equal("Bearer " + Secret, fallback.Header("Authorization"));
        }

        Assert.DoesNotContain(gateway.Log.All, l => l.Contains(Secret, StringComparison.Ordinal));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task RequestId_IsTheClientsWhereWellFormedAndSharedWithUpstreamAndLog(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(2).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with { Headers = [.. call.Headers, new("x-request-id", "client-7.a_b")] });

        await gateway.AssertContractAsync(result);
        Assert.Equal("client-7.a_b", result.Header("x-request-id"));
        Assert.All(upstream.Exchanges, e => Assert.Equal("client-7.a_b", e.Header("x-request-id")));
        Assert.Contains("request client-7.a_b", Assert.Single(gateway.Log.Exchanges), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("with space and \"quotes\"")]
    [InlineData("{{template}}")]
    public async Task IllFormedRequestId_IsReplaced(string id)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), call => call with { Headers = [.. call.Headers, new("x-request-id", id)] });

        var given = result.Header("x-request-id");
        Assert.NotEqual(id, given);
        Assert.Equal(given, upstream.Exchanges[0].Header("x-request-id"));
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ClientWithoutRequestId_EveryAttemptHasTheOneItIsToldAndTheCountOfGateways(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(2).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        await gateway.AssertContractAsync(result);
        Assert.Equal(2, upstream.RequestCount);
        Assert.All(upstream.Exchanges, e => Assert.Equal((result.Header("x-request-id"), "1"), (e.Header("x-request-id"), e.Header("x-gateway-hops"))));
    }

    [Fact]
    public async Task RequestIdOfATransform_StaysAndIsTheOnlyOne()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream);
            s["ReverseProxy:Routes:chat:Transforms:0:RequestHeader"] = "X-Request-Id";
            s["ReverseProxy:Routes:chat:Transforms:0:Set"] = "the-transform's";
        });

        var result = await gateway.StreamAsync();

        await gateway.AssertContractAsync(result);
        Assert.Equal(["the-transform's"], upstream.Exchanges[0].Headers.Where(h => h.Key.Equals("x-request-id", StringComparison.OrdinalIgnoreCase)).Select(h => h.Value));
    }

    [Fact]
    public async Task ServedByHeaders_AreLeftOutWhereTheConfigurationSaysSo()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("ExposeServedBy", "false")).Cluster("primary", upstream));

        var result = await gateway.StreamAsync();

        Assert.DoesNotContain(result.Headers, h => h.Key.StartsWith("x-gateway-", StringComparison.OrdinalIgnoreCase));
        Assert.NotNull(result.Header("x-request-id"));
    }

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http1, true)]
    public async Task RequestTooLarge_Is413InTheRoutesFormat(Wire wire, bool chunked)
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("MaxRequestBytes", "2048")).Cluster("primary", upstream));
        var body = Chat.Default.Request(prompt: new string('x', 4096));
        var sent = chunked ? [.. System.Text.Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8] : body;

        var result = await gateway.SendAsync(wire, sent, call => chunked ? call with { Headers = [.. call.Headers, new("Transfer-Encoding", "chunked")] } : call);

        Assert.Equal((413, "request_too_large", "invalid_request_error"), (result.Status, result.ErrorCode(), result.Error()!.Value.GetProperty("type").GetString()));
        Assert.Equal(0, upstream.RequestCount);
        Assert.NotNull(result.Header("x-request-id"));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "rejected")));
    }

    [Theory]
    [InlineData(Wire.Http1, "")]
    [InlineData(Wire.Http1, "not json")]
    [InlineData(Wire.Http2, "{\"model\":\"m\",\"stream\":true")]
    [InlineData(Wire.Http1, "[1]")]
    [InlineData(Wire.Http1, "{\"stream\":true,\"stream\":false}")]
    [InlineData(Wire.Http2, "{\"stream\":\"yes\"}")]
    public async Task UnreadableRequest_Is400InTheRoutesFormat(Wire wire, string body)
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(wire, System.Text.Encoding.UTF8.GetBytes(body));

        Assert.Equal((400, "invalid_request"), (result.Status, result.ErrorCode()));
        Assert.Equal(0, upstream.RequestCount);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task RouteThatIsNotGuarded_PassesThroughAsEver(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(503, "busy"u8.ToArray(), ("x-own", "1")));
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream);
            s["ReverseProxy:Routes:other:ClusterId"] = "primary";
            s["ReverseProxy:Routes:other:Match:Path"] = "/other/{**rest}";
        });

        var result = await gateway.SendAsync(wire, [], call => call with { Method = "GET", Target = "/other/thing?x=1" });

        Assert.Equal((503, "busy", "1"), (result.Status, result.Text, result.Header("x-own")));
        Assert.Equal(("GET", "/other/thing?x=1"), (upstream.Exchanges[0].Method, upstream.Exchanges[0].Target));
        Assert.DoesNotContain(result.Headers, h => h.Key.StartsWith("x-gateway-", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/health/live")]
    [InlineData("/")]
    public async Task ProxyPort_ServesNothingOfTheGateways(string target)
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(Wire.Http1, [], call => call with { Method = "GET", Target = target });

        Assert.Equal(404, result.Status);
    }

    [Fact]
    public async Task ManagementPort_ShowsMetricsAndHealth()
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(2).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));
        await gateway.AssertContractAsync(await gateway.StreamAsync());
        using var client = new HttpClient { BaseAddress = gateway.Management };
        var cancel = TestContext.Current.CancellationToken;

        Assert.Equal("live\n", await client.GetStringAsync(new Uri("/health/live", UriKind.Relative), cancel));
        Assert.Equal("ready\n", await client.GetStringAsync(new Uri("/health/ready", UriKind.Relative), cancel));
        var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancel);
        Assert.Contains("proxygateway_stream_failures_total{", metrics, StringComparison.Ordinal);
        Assert.Contains("proxygateway_request_duration_seconds_count{", metrics, StringComparison.Ordinal);
        Assert.Contains("proxygateway_circuit_breaker_state{", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task EventLargerThanTheLimit_IsAFault(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(
            Agents.Started(2).Body(Chat.Default.Text(new string('x', 8000))).Stall(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("MaxEventBytes", "4096")).Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal(Agents.WholeText, result.Text());
        await gateway.AssertContractAsync(result, change: t => t with { Limits = new ContractLimits { MaxEventBytes = 4096 } });
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task MoreDeliveredThanMayBeKept_GoesOnAndEndsLoudlyWhenCut(Wire wire)
    {
        string[] words = [.. Enumerable.Range(0, 20).Select(_ => new string('w', 100))];
        await using var upstream = ScriptedUpstream.Start(
            UpstreamScript.EventStream().Events(Chat.Bytes([Chat.Default.Role(), .. words.Select(w => Chat.Default.Text(w))])).ThenReset());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("MaxDeliveredBytes", "1024")).Cluster("primary", upstream));

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((string.Concat(words), "upstream_truncated"), (result.Text(), result.ErrorCode()));
        Assert.Equal(1, upstream.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData("Never", true, 1)]
    [InlineData("Never", false, 1)]
    [InlineData("BeforeContent", true, 1)]
    [InlineData("BeforeContent", false, 2)]
    public async Task ReplayPolicy_IsKept(string policy, bool contentDelivered, int calls)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(contentDelivered ? 3 : 0).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Chat("primary", ("Replay", policy)).Cluster("primary", upstream));

        var result = await gateway.StreamAsync();

        Assert.Equal(calls, upstream.RequestCount);
        Assert.Equal(calls == 2, result.IsDone());
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task Shutdown_EndsOpenStreamsLoudly(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start(Agents.Started(3).Stall());
        var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:Idle", "00:01:00")));
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = gateway.SendAsync(wire, Chat.Default.Request(), call => call with
        {
            LeaveWhen = body =>
            {
                started.TrySetResult();
                return false;
            },
        });
        await started.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        await gateway.DisposeAsync();

        var result = await answer;
        Assert.Equal("shutting_down", result.ErrorCode());
        Assert.Equal(wire == Wire.Http1 ? ClientEnding.WithoutTerminator : ClientEnding.Http2Reset, result.Ending);
        await upstream.Exchanges[0].Ended.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        gateway.AssertContract(result, Chat.Default.Request(), [], t => t with { GatewayGaveUp = true, Attempts = [upstream.Exchanges[0].ToAttempt()] });
    }
}
