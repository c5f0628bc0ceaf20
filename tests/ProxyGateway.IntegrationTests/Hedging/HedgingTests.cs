using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;
using Yarp.ReverseProxy;

namespace ProxyGateway.IntegrationTests.Hedging;

/// <summary>A second attempt beside a late one: destination <c>a</c> is always asked first, <c>b</c> is the other.</summary>
public sealed class HedgingTests
{
    /// <summary>Role and nothing more, for as long as the test lasts.</summary>
    private static UpstreamScript Late => Agents.Started(0).Stall();

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http1, true)]
    public async Task FirstIsLate_TheOtherDestinationAnswersAndTheFirstIsClosed(Wire wire, bool overHttp2)
    {
        await using var a = ScriptedUpstream.Start(Late);
        await using var a2 = await ScriptedHttp2Upstream.StartAsync(Late);
        await using var b = ScriptedUpstream.Start();
        await using var b2 = await ScriptedHttp2Upstream.StartAsync();
        UpstreamBase first = overHttp2 ? a2 : a, second = overHttp2 ? b2 : b;
        second.Choose = asked => Agents.Good(asked);
        await using var gateway = await StartAsync(first, second);

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with { Headers = [.. call.Headers, new("Authorization", "Bearer client"), new("x-tenant", "t")] });

        Assert.Equal((200, Agents.WholeText, "2"), (result.Status, result.Text(), result.Header("x-gateway-attempts")));
        Assert.Equal((1, 1), (first.RequestCount, second.RequestCount));
        await gateway.AssertContractAsync(result);
        Assert.Equal(AttemptEnding.Stalled, await first.Exchanges[0].Ended);
        Assert.Equal(first.Exchanges[0].Body, second.Exchanges[0].Body);
        Assert.Equal(first.Exchanges[0].Target, second.Exchanges[0].Target);
        Assert.All(["Authorization", "x-tenant", "x-request-id", "Content-Type", "Accept-Encoding", "X-Forwarded-For", "x-gateway-hops"], name =>
            Assert.Equal(first.Exchanges[0].Header(name), second.Exchanges[0].Header(name)));
        AssertCounted(gateway, "won", ("complete", 1), ("cancelled", 1));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")));
        await AssertNothingLeftAsync(gateway);
    }

    [Fact]
    public async Task FirstIsQuick_NoSecondAttempt()
    {
        await using var a = ScriptedUpstream.Start(Agents.Started(3).Delay(TimeSpan.FromMilliseconds(500)).Events(Rest(3)).EndClean());
        await using var b = ScriptedUpstream.Start();
        await using var gateway = await StartAsync(a, b);

        var result = await gateway.StreamAsync();

        Assert.Equal((Agents.WholeText, "1"), (result.Text(), result.Header("x-gateway-attempts")));
        Assert.Equal((1, 0), (a.RequestCount, b.RequestCount));
        await gateway.AssertContractAsync(result);
        Assert.Equal(0, gateway.Meter.Count("proxygateway.hedges"));
    }

    [Fact]
    public async Task FirstHasContentSoonerAfterAll_SecondIsClosedAtOnce()
    {
        await using var a = ScriptedUpstream.Start(Agents.Started(0).Delay(TimeSpan.FromMilliseconds(500)).Events(Rest(0)).Delay(TimeSpan.FromSeconds(1)).EndClean());
        await using var b = ScriptedUpstream.Start(Late);
        await using var gateway = await StartAsync(a, b);

        var exchange = gateway.StreamAsync();
        await GatewayFixture.EventuallyAsync(() => b.RequestCount == 1, "no second attempt");
        await b.Exchanges[0].Ended.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        Assert.False(a.Exchanges[0].Ended.IsCompleted);
        var result = await exchange;

        Assert.Equal(Agents.WholeText, result.Text());
        await gateway.AssertContractAsync(result);
        AssertCounted(gateway, "lost", ("complete", 1), ("cancelled", 1));
        await AssertNothingLeftAsync(gateway);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task FirstFailsMeanwhile_SecondIsItsRetry(Wire wire)
    {
        await using var a = ScriptedUpstream.Start(Agents.Started(0).Delay(TimeSpan.FromMilliseconds(400)).Reset());
        await using var b = ScriptedUpstream.Start(UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(800)).Events(Agents.WholeStream).EndClean());
        await using var gateway = await StartAsync(a, b);

        var result = await gateway.StreamAsync(wire);

        Assert.Equal((Agents.WholeText, "2", "replay"), (result.Text(), result.Header("x-gateway-attempts"), result.Header("x-gateway-recovery")));
        Assert.Equal((1, 1), (a.RequestCount, b.RequestCount));
        await gateway.AssertContractAsync(result);
        AssertCounted(gateway, "won", ("complete", 1), ("failed", 1));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "recovered")));
    }

    [Fact]
    public async Task SecondFails_FirstIsWaitedForAndNothingIsRecovered()
    {
        await using var a = ScriptedUpstream.Start(Agents.Started(0).Delay(TimeSpan.FromMilliseconds(700)).Events(Rest(0)).EndClean());
        await using var b = ScriptedUpstream.Start(UpstreamScript.ResetAtOnce);
        await using var gateway = await StartAsync(a, b);

        var result = await gateway.StreamAsync();

        Assert.Equal((Agents.WholeText, "2", "none"), (result.Text(), result.Header("x-gateway-attempts"), result.Header("x-gateway-recovery")));
        await gateway.AssertContractAsync(result);
        AssertCounted(gateway, "lost", ("complete", 1), ("failed", 1));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")));
    }

    [Fact]
    public async Task BothFail_FallbackClusterIsAskedOnceAndTheFirstFaultIsTold()
    {
        await using var a = ScriptedUpstream.Start(Agents.Started(0).Delay(TimeSpan.FromMilliseconds(500)).Reset());
        await using var b = ScriptedUpstream.Start(Agents.Error(500));
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        await using var gateway = await StartAsync(a, b, s => s.Cluster("droid", droid).Fallback("primary", "droid"));

        var result = await gateway.StreamAsync();

        Assert.Equal((Agents.WholeText, "3", "fallback"), (result.Text(), result.Header("x-gateway-attempts"), result.Header("x-gateway-recovery")));
        Assert.Equal((1, 1, 1), (a.RequestCount, b.RequestCount, droid.RequestCount));
        await gateway.AssertContractAsync(result);
        AssertCounted(gateway, "failed", ("complete", 1), ("failed", 2));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.fallbacks", ("reason", "ended_early"), ("outcome", "recovered")));
    }

    [Fact]
    public async Task BothFailAndNobodyIsLeft_OneErrorWithTheFirstFault()
    {
        await using var a = ScriptedUpstream.Start(Late);
        await using var b = ScriptedUpstream.Start(Agents.Error(500));
        await using var gateway = await StartAsync(a, b, s => s["ReverseProxy:Clusters:primary:Timeouts:FirstContent"] = "00:00:01", ("Timeouts:ResponseHeaders", "00:00:00.9"));

        var result = await gateway.StreamAsync();

        Assert.Equal((504, "upstream_timeout", "false"), (result.Status, result.ErrorCode(), result.Header("x-should-retry")));
        Assert.Equal((1, 1), (a.RequestCount, b.RequestCount));
        await gateway.AssertContractAsync(result);
        await AssertNothingLeftAsync(gateway);
    }

    [Fact]
    public async Task WinnerDiesInMidStream_RestIsReplayedAtTheSameCluster()
    {
        await using var a = ScriptedUpstream.Start();
        a.Choose = asked => asked.AsksForStream ? Late : Agents.Good(asked);
        await using var b = ScriptedUpstream.Start(Agents.Started(4).ThenReset());
        await using var gateway = await StartAsync(a, b);

        var result = await gateway.StreamAsync();

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.Equal((2, 1), (a.RequestCount, b.RequestCount));
        await gateway.AssertContractAsync(result);
        AssertCounted(gateway, "won", ("complete", 1), ("failed", 1), ("cancelled", 1));
    }

    [Fact]
    public async Task FirstRefusesTheRequest_ItsAnswerIsTheClients()
    {
        await using var a = ScriptedUpstream.Start(After(TimeSpan.FromMilliseconds(500), Agents.Error(400)));
        await using var b = ScriptedUpstream.Start(Late);
        await using var gateway = await StartAsync(a, b);

        var result = await gateway.StreamAsync();

        Assert.Equal(400, result.Status);
        await gateway.AssertContractAsync(result);
        AssertCounted(gateway, "lost", ("answer", 1), ("cancelled", 1));
    }

    [Fact]
    public async Task SecondDestinationRefusesTheRequest_FirstIsWaitedFor()
    {
        await using var a = ScriptedUpstream.Start(Agents.Started(0).Delay(TimeSpan.FromMilliseconds(700)).Events(Rest(0)).EndClean());
        await using var b = ScriptedUpstream.Start(Agents.Error(401));
        await using var gateway = await StartAsync(a, b);

        var result = await gateway.StreamAsync();

        Assert.Equal((200, Agents.WholeText), (result.Status, result.Text()));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData("Stream")]
    [InlineData("Json")]
    public async Task SecondAnswersWithoutAStream_ItsAnswerIsTheClients(string responseFormat)
    {
        await using var a = ScriptedUpstream.Start(Late);
        await using var b = ScriptedUpstream.Start(UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await StartAsync(a, b, s => s.Chat("primary", ("ResponseFormat", responseFormat)));

        var result = await gateway.StreamAsync();

        Assert.Equal(200, result.Status);
        Assert.Contains(responseFormat == "Json" ? "application/json" : "text/event-stream", result.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Contains("d\u00f6g.", result.Text.Replace("\\u00F6", "\u00f6", StringComparison.OrdinalIgnoreCase), StringComparison.Ordinal);
        await gateway.AssertContractAsync(result, change: t => t with { JsonAllowed = true });
        await AssertNothingLeftAsync(gateway);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ClientLeaves_BothAreClosedAndNothingIsCounted(Wire wire)
    {
        await using var a = ScriptedUpstream.Start(UpstreamScript.NeverAnswer);
        await using var b = ScriptedUpstream.Start(Late);
        await using var gateway = await StartAsync(a, b, null, ("CircuitBreaker:FailureThreshold", "1"));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with { Timeout = TimeSpan.FromMilliseconds(900) });

        await gateway.AssertIdleAsync();
        Assert.Equal((1, 1), (a.RequestCount, b.RequestCount));
        Assert.Equal(StreamingFallback.CircuitBreaking.CircuitStatus.Closed, gateway.Circuits.Get("primary").Cluster.Status);
        Assert.Equal(1, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "client_gone")));
        Assert.Equal(2, gateway.Meter.Count("proxygateway.upstream.attempts", ("result", "cancelled")));
        await AssertNothingLeftAsync(gateway);
    }

    [Fact]
    public async Task HeartbeatsGoOnWhileBothAreSilent()
    {
        await using var a = ScriptedUpstream.Start(Agents.Started(0).Delay(TimeSpan.FromMilliseconds(500)).Reset());
        await using var b = ScriptedUpstream.Start(UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(1500)).Events(Agents.WholeStream).EndClean());
        await using var gateway = await StartAsync(a, b, s => s.Global(("CommitAfter", "00:00:00.7"), ("HeartbeatInterval", "00:00:00.2")));

        var result = await gateway.StreamAsync();

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.True(System.Text.RegularExpressions.Regex.Count(result.Text, Chat.Heartbeat) >= 2, result.Text);
        await gateway.AssertContractAsync(result);
    }

    [Fact]
    public async Task ObservedDelay_CountsOnceEnoughWasSeen()
    {
        var late = false;
        await using var a = ScriptedUpstream.Start();
        a.Choose = asked => Volatile.Read(ref late) ? UpstreamScript.EventStream().Delay(TimeSpan.FromSeconds(2)).Events(Agents.WholeStream).EndClean() : Agents.Good(asked);
        await using var b = ScriptedUpstream.Start();
        b.Choose = asked => Agents.Good(asked);
        await using var gateway = await StartAsync(a, b, s => s["ReverseProxy:Clusters:primary:Hedging:Delay"] = null,
            ("Hedging:MinSamples", "5"), ("Hedging:MinDelay", "00:00:00.2"));

        for (var i = 0; i < 4; i++)
        {
            await gateway.StreamAsync();
        }

        Volatile.Write(ref late, true);
        await gateway.StreamAsync();
        Assert.Equal(0, b.RequestCount);
        Volatile.Write(ref late, false);
        for (var i = 0; i < 20; i++)
        {
            await gateway.StreamAsync();
        }

        var before = b.RequestCount;
        Volatile.Write(ref late, true);
        var hedged = await gateway.StreamAsync();

        Assert.Equal((Agents.WholeText, before + 1), (hedged.Text(), b.RequestCount));
        Assert.InRange(hedged.EndedAt, TimeSpan.FromMilliseconds(190), TimeSpan.FromSeconds(1.8));
    }

    [Theory]
    [InlineData("off", "Hedging:Enabled", "false")]
    [InlineData("budget is spent", "Retry:Budget", "0")]
    [InlineData("no room at the cluster", "Concurrency:Limit", "1")]
    [InlineData("clients are bound", "SessionAffinity:Enabled", "true")]
    [InlineData("too little was observed", "Hedging:Delay", null)]
    public async Task ClusterForbidsIt_NoSecondAttempt(string why, string option, string? value)
    {
        _ = why;
        await AssertNotHedgedAsync(s =>
        {
            s["ReverseProxy:Clusters:primary:" + option] = value;
            s["ReverseProxy:Clusters:primary:Retry:BudgetFloor"] = "0";
            s["ReverseProxy:Clusters:primary:Retry:Budget"] = option == "Retry:Budget" ? "0" : "1";
            s["ReverseProxy:Clusters:primary:SessionAffinity:AffinityKeyName"] = "destination";
        });
    }

    [Theory]
    [InlineData("Replay", "BeforeContent")]
    [InlineData("Replay", "Never")]
    [InlineData("Enabled", "false")]
    public Task RouteForbidsIt_NoSecondAttempt(string option, string value) => AssertNotHedgedAsync(s => s.Chat("primary", (option, value)));

    [Fact]
    public Task NoAttemptIsLeft_NoSecondAttempt() => AssertNotHedgedAsync(s => s.Global(("MaxAttempts", "1")));

    [Fact]
    public async Task OneDestination_NoSecondAttempt()
    {
        await using var a = ScriptedUpstream.Start();
        a.Choose = _ => UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(600)).Events(Agents.WholeStream).EndClean();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", a, ("Hedging:Enabled", "true"), ("Hedging:Delay", "00:00:00.15")));

        Assert.Equal(Agents.WholeText, (await gateway.StreamAsync()).Text());
        Assert.Equal(1, a.RequestCount);
    }

    [Fact]
    public async Task OtherDestinationIsIsolatedByHealth_NoSecondAttempt()
    {
        await using var a = ScriptedUpstream.Start();
        a.Choose = _ => UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(600)).Events(Agents.WholeStream).EndClean();
        await using var b = ScriptedUpstream.Start();
        await using var gateway = await StartAsync(a, b, null, ("HealthCheck:Passive:Enabled", "true"), ("HealthCheck:Passive:ReactivationPeriod", "00:10:00"));
        Assert.True(gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("primary", out var cluster));
        gateway.Services.GetRequiredService<Yarp.ReverseProxy.Health.IDestinationHealthUpdater>().SetPassive(
            cluster, cluster.Destinations["b"], Yarp.ReverseProxy.Model.DestinationHealth.Unhealthy, TimeSpan.FromMinutes(10));

        Assert.Equal(Agents.WholeText, (await gateway.StreamAsync()).Text());
        Assert.Equal((1, 0), (a.RequestCount, b.RequestCount));
    }

    [Fact]
    public async Task NonStreamingRequest_NoSecondAttempt()
    {
        await using var a = ScriptedUpstream.Start();
        a.Choose = _ => After(TimeSpan.FromMilliseconds(600), UpstreamScript.Json(Agents.WholeAnswer));
        await using var b = ScriptedUpstream.Start();
        await using var gateway = await StartAsync(a, b);

        var result = await gateway.SendAsync(Wire.Http1, Chat.Default.Request(stream: false));

        Assert.Equal(200, result.Status);
        Assert.Equal(0, b.RequestCount);
    }

    [Fact]
    public async Task CloseRaces_EveryAnswerOnceAndWhole()
    {
        // Both destinations become ready at about the moment the other one does, over and over.
        var random = new Random(4);
        var gate = new Lock();
        TimeSpan Soon()
        {
            lock (gate)
            {
                return TimeSpan.FromMilliseconds(random.Next(30, 120));
            }
        }

        await using var a = ScriptedUpstream.Start();
        await using var b = ScriptedUpstream.Start();
        a.Choose = _ => Agents.Started(0).Delay(Soon() + TimeSpan.FromMilliseconds(40)).Events(Rest(0)).EndClean();
        b.Choose = _ => Agents.Started(0, Agents.Other).Delay(Soon() - TimeSpan.FromMilliseconds(30)).Events(Rest(0, Agents.Other)).EndClean();
        await using var gateway = await StartAsync(a, b, null, ("Hedging:Delay", "00:00:00.06"), ("Retry:Budget", "1"), ("Retry:BudgetFloor", "100"));

        var results = new List<(string Id, HttpResult Result)>();
        for (var round = 0; round < 10; round++)
        {
            results.AddRange(await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
            {
                var id = $"race-{round}-{i}";
                return (id, await gateway.SendAsync(i % 2 == 0 ? Wire.Http1 : Wire.Http2, Chat.Default.Request(), c => c with { Headers = [.. c.Headers, new("x-request-id", id)] }));
            })));
        }

        await gateway.AssertIdleAsync();
        foreach (var (id, result) in results)
        {
            Assert.Equal((200, Agents.WholeText), (result.Status, result.Text()));
            gateway.AssertContract(result, Chat.Default.Request(), gateway.Calls.Where(c => c.Exchange.Header("x-request-id") == id),
                t => t with { Attempts = [.. t.Attempts.Select(a => a with { Raced = true })] });
        }

        var hedges = gateway.Meter.By("proxygateway.hedges", "result");
        TestContext.Current.SendDiagnosticMessage(string.Join(", ", hedges.Select(h => $"{h.Key} {h.Value}")));
        Assert.True(hedges.GetValueOrDefault("won") > 10 && hedges.GetValueOrDefault("lost") > 10, string.Join(", ", hedges));
        Assert.Equal(200, gateway.Meter.Count("proxygateway.request.duration", ("outcome", "completed")));
        Assert.Equal(200 + hedges.Values.Sum(), gateway.Meter.Count("proxygateway.upstream.attempts"));
        await AssertNothingLeftAsync(gateway);
    }

    private static Task<GatewayFixture> StartAsync(UpstreamBase a, UpstreamBase b, Action<GatewaySetup>? more = null, params (string Option, string Value)[] options) =>
        GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", a, [("LoadBalancingPolicy", "FirstAlphabetical"), ("Hedging:Enabled", "true"), ("Hedging:Delay", "00:00:00.15"), .. options])
                .Destination("primary", "b", b);
            more?.Invoke(s);
        });

    private static async Task AssertNotHedgedAsync(Action<GatewaySetup> configure)
    {
        await using var a = ScriptedUpstream.Start();
        a.Choose = _ => UpstreamScript.EventStream().Delay(TimeSpan.FromMilliseconds(600)).Events(Agents.WholeStream).EndClean();
        await using var b = ScriptedUpstream.Start();
        b.Choose = a.Choose;
        await using var gateway = await StartAsync(a, b, configure);

        var result = await gateway.StreamAsync();

        Assert.Equal((Agents.WholeText, "1"), (result.Text(), result.Header("x-gateway-attempts")));
        Assert.Equal(1, a.RequestCount + b.RequestCount);
        await gateway.AssertContractAsync(result);
    }

    private static UpstreamScript After(TimeSpan wait, UpstreamScript script) =>
        script.Steps.Aggregate(new UpstreamScript().Delay(wait), (longer, step) => longer.Then(step));

    private static byte[] Rest(int from, Chat? chat = null)
    {
        chat ??= Chat.Default;
        var started = Chat.Bytes([chat.Role(), .. Agents.Words.Take(from).Select(w => chat.Text(w))]).Length;
        return chat.Stream(Agents.Words)[started..];
    }

    private static void AssertCounted(GatewayFixture gateway, string hedge, params (string Result, long Count)[] attempts)
    {
        Assert.Equal(1, gateway.Meter.Count("proxygateway.hedges", ("result", hedge), ("proxy.cluster.id", "primary")));
        Assert.Equal(1, gateway.Meter.Count("proxygateway.hedges"));
        Assert.Equal(attempts.OrderBy(a => a.Result).Select(a => $"{a.Result} {a.Count}"), gateway.Meter.By("proxygateway.upstream.attempts", "result").OrderBy(r => r.Key).Select(r => $"{r.Key} {r.Value}"));
    }

    private static async Task AssertNothingLeftAsync(GatewayFixture gateway)
    {
        await gateway.AssertIdleAsync();
        Assert.True(gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("primary", out var cluster));
        await GatewayFixture.EventuallyAsync(
            () => cluster.Destinations.Values.All(d => d.ConcurrentRequestCount == 0)
                && gateway.Limits.Get("primary").Gate.Inside == 0 && gateway.Services.GetRequiredService<LiveExchanges>().Count == 0,
            "something is still counted as in flight");
    }
}
