using System.Net;
using ProxyGateway.Backplane;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>What a scraper sees.</summary>
[Collection(nameof(AloneCollection))]
public sealed class ScrapeTests
{
    private static readonly (string, string) Chat1 = ("proxy_route_id", "chat");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunWithFaults_HasEverySeriesOfTheReferenceAndNoOther()
    {
        await using var gateway = await FileGateway.StartAsync(Cancel, ("StreamingFallback:ModelLabels:0", "demo-good*"), ("Gateway:Backplane:ConnectionString", "127.0.0.1:1"));
        await gateway.SufferAsync(1, Cancel);
        using (var client = new HttpClient())
        {
            // Not streamed, so that somebody reports what it took.
            await client.PostAsync(new Uri(gateway.Proxy, "/v1/chat/completions"), new ByteArrayContent(new Chat { Model = "demo-good" }.Request(stream: false)), Cancel);
        }

        var scrape = await Scrape.ReadAsync(gateway.Management, Cancel);

        IReadOnlyList<MetricDefinition> documented = [.. MetricCatalogue.All, .. ConfigurationMetrics.All, .. BackplaneMetrics.All];
        Assert.Equal(documented.Select(d => d.ExportedName).Order(StringComparer.Ordinal), scrape.Types.Keys.Where(n => n != "target_info").Order(StringComparer.Ordinal));
        foreach (var metric in documented)
        {
            Assert.Equal(metric.Kind.ToString().ToLowerInvariant(), scrape.Types[metric.ExportedName]);
            var series = scrape.All.Where(s => s.Name == metric.ExportedName || (metric.Kind == MetricKind.Histogram && s.Name == metric.ExportedName + "_count")).ToList();
            Assert.NotEmpty(series);
            Assert.All(series, s => Assert.All(s.Labels, l =>
            {
                var label = Assert.Single(metric.Labels, d => d.ExportedName == l.Key);
                Assert.True(label.Values?.Contains(l.Value) ?? true, $"{metric.ExportedName}: {l.Key}=\"{l.Value}\" is not in the reference");
            }));
        }

        Assert.Equal(["demo-good*", "other"], scrape.All.Select(s => s.Labels.GetValueOrDefault("gen_ai_request_model")).OfType<string>().Distinct().Order(StringComparer.Ordinal));
        Assert.True(scrape.Sum("proxygateway_wasted_tokens_total") > 0, "the diverging agent reported what its replay took");
    }

    [Fact]
    public async Task Start_CountersAreThereAtZero()
    {
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Cluster("droid", upstream.Address).Fallback("primary", "droid"));

        var scrape = await Scrape.ReadAsync(gateway.Management, Cancel);

        foreach (var cluster in new[] { "primary", "droid" })
        {
            Assert.Equal([0], scrape.Values("proxygateway_stream_failures_total", Chat1, ("proxy_cluster_id", cluster), ("phase", "content"), ("reason", "ended_early")));
            Assert.Equal([0], scrape.Values("proxygateway_fallbacks_total", Chat1, ("proxy_cluster_id", cluster), ("reason", "ended_early"), ("outcome", "terminated")));
            Assert.Equal([0], scrape.Values("proxygateway_upstream_attempts_total", Chat1, ("proxy_cluster_id", cluster), ("mode", "streaming"), ("result", "complete")));
            Assert.Equal([1, 0, 0, 0], scrape.Values("proxygateway_circuit_breaker_state", ("proxy_cluster_id", cluster), ("circuit", "cluster")));
            Assert.Equal([0], scrape.Values("proxygateway_circuit_breaker_transitions_total", ("proxy_cluster_id", cluster), ("circuit", "streaming"), ("to", "half_open")));
            Assert.Equal([1], scrape.Values("proxygateway_destination_healthy", ("proxy_cluster_id", cluster), ("proxy_destination_id", "a")));
        }

        Assert.Equal([0, 0, 0, 0, 0, 0, 0], scrape.Values("proxygateway_exchanges_total", Chat1));
        Assert.Equal([0], scrape.Values("proxygateway_streams_active", Chat1));
        Assert.Equal([0], scrape.Values("proxygateway_replay_memory_bytes"));
        Assert.Equal([1024.0 * 1024 * 1024], scrape.Values("proxygateway_replay_memory_limit_bytes"));
    }

    [Fact]
    public async Task Reload_NewClusterBeginsAtZeroAndARemovedOnesGaugesAreGone()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "1")).Global(("MaxAttempts", "1")));
        await gateway.StreamAsync();
        Assert.Equal([0, 1, 0, 0], (await Scrape.ReadAsync(gateway.Management, Cancel)).Values("proxygateway_circuit_breaker_state", ("proxy_cluster_id", "primary"), ("circuit", "cluster")));

        await gateway.ReloadAsync(s => s.Cluster("other", upstream.Address).Chat("other").Remove("primary"));

        var scrape = await Scrape.ReadAsync(gateway.Management, Cancel);
        Assert.Equal([1, 0, 0, 0], scrape.Values("proxygateway_circuit_breaker_state", ("proxy_cluster_id", "other"), ("circuit", "cluster")));
        Assert.Equal([0], scrape.Values("proxygateway_stream_failures_total", ("proxy_cluster_id", "other"), ("phase", "content"), ("reason", "idle_timeout")));
        Assert.Empty(scrape.Values("proxygateway_circuit_breaker_state", ("proxy_cluster_id", "primary")));
        Assert.Empty(scrape.Values("proxygateway_destination_healthy", ("proxy_cluster_id", "primary")));
        // A counter cannot go: it stands still.
        Assert.Equal(1, scrape.Sum("proxygateway_stream_failures_total", ("proxy_cluster_id", "primary")));
    }

    [Fact]
    public async Task SplicedStream_TellsItsGapItsRecoveryAndWhatItTook()
    {
        // As the upstream's timer has it, which may be a little early.
        var pause = TimeSpan.FromMilliseconds(400);
        await using var upstream = ScriptedUpstream.Start(
            Agents.Started(5).ThenReset(), new UpstreamScript().Delay(pause).Head(200, "application/json").Body(System.Text.Encoding.UTF8.GetString(Agents.WholeAnswer)).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.StreamAsync();

        Assert.Equal(Agents.WholeText, result.Text());
        await gateway.AssertContractAsync(result);
        var scrape = await Scrape.ReadAsync(gateway.Management, Cancel);
        Assert.InRange(scrape.Sum("proxygateway_stream_max_gap_seconds_sum", Chat1), pause.TotalSeconds - 0.05, 5);
        Assert.InRange(scrape.Sum("proxygateway_recovery_duration_seconds_sum", Chat1), pause.TotalSeconds - 0.05, 5);
        Assert.Equal(1, scrape.Sum("proxygateway_exchanges_total", Chat1, ("outcome", "recovered")));
        Assert.Equal(1, scrape.Sum("gen_ai_client_operation_time_to_first_chunk_seconds_count", ("gen_ai_operation_name", "chat"), ("gen_ai_provider_name", "openai")));
        // The broken stream reported nothing; the replay did, and its answer was used.
        Assert.Equal((7, 5), ((int)scrape.Sum("gen_ai_client_token_usage_sum", ("gen_ai_token_type", "input")), (int)scrape.Sum("gen_ai_client_token_usage_sum", ("gen_ai_token_type", "output"))));
        Assert.Equal(0, scrape.Sum("proxygateway_wasted_tokens_total"));
        Assert.InRange(scrape.Sum("proxygateway_overhead_seconds_sum"), 0.000001, pause.TotalSeconds);
        Assert.DoesNotContain(scrape.All, s => s.Labels.ContainsKey("gen_ai_request_model"));
    }

    [Fact]
    public async Task StreamThatRecoversBeforeContent_CountsItsRecoveryToTheFirstByteNotToTheEnd()
    {
        using var nobody = new RefusingEndpoint();
        await using var spare = ScriptedUpstream.Start(Agents.Started(4).Delay(TimeSpan.FromSeconds(1)).Events(Chat.Bytes(Chat.Default.Finish(), Chat.Done)).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", nobody.Address, ("Retry:Budget", "0"), ("Retry:BudgetFloor", "0")).Cluster("spare", spare).Fallback("primary", "spare"));

        await gateway.StreamAsync();
        await gateway.AssertIdleAsync();

        var scrape = await Scrape.ReadAsync(gateway.Management, Cancel);
        Assert.Equal(1, scrape.Sum("proxygateway_exchanges_total", Chat1, ("outcome", "recovered")));
        Assert.Equal(1, scrape.Sum("proxygateway_recovery_duration_seconds_count", Chat1));
        Assert.InRange(scrape.Sum("proxygateway_recovery_duration_seconds_sum", Chat1), 0, 0.9);
    }

    [Fact]
    public async Task GoodExchanges_TellTheGatewaysOwnShare()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked).Steps.Aggregate(new UpstreamScript().Delay(TimeSpan.FromMilliseconds(300)), (script, step) => script.Then(step));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        await gateway.StreamAsync();
        await gateway.SendAsync(Wire.Http1, Chat.Default.Request(stream: false));
        await gateway.AssertIdleAsync();

        var scrape = await Scrape.ReadAsync(gateway.Management, Cancel);
        Assert.Equal(2, scrape.Sum("proxygateway_overhead_seconds_count", Chat1));
        // The upstream's own time is none of it. The first request through a process pays for everything that is made on first use.
        Assert.InRange(scrape.Sum("proxygateway_overhead_seconds_sum", Chat1), 0.000001, 0.5);
        Assert.True(scrape.Sum("proxygateway_request_duration_seconds_sum", Chat1) > 0.55);
    }

    [Fact]
    public async Task NoRoomForABody_IsRefusedAndTheGaugeTellsWhy()
    {
        var more = new TaskCompletionSource();
        await using var upstream = ScriptedUpstream.Start(Agents.Started(9).WaitFor(more.Task).Events(Chat.Bytes(Chat.Default.Finish(), Chat.Done)).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream).Global(("MaxReplayMemoryBytes", "2000"), ("MaxRequestBytes", "4000")));
        var body = Chat.Default.Request(prompt: new string('x', 1500));
        var first = gateway.SendAsync(Wire.Http1, body);
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == 1, "the first request did not arrive");
        await Task.Delay(300, Cancel);

        var second = await gateway.SendAsync(Wire.Http1, body);
        var tooLarge = await gateway.SendAsync(Wire.Http1, Chat.Default.Request(prompt: new string('x', 5000)));
        var scrape = await Scrape.ReadAsync(gateway.Management, Cancel);
        more.SetResult();

        Assert.Equal((HttpStatusCode)503, (HttpStatusCode)second.Status!);
        Assert.Equal("overloaded", second.ErrorCode());
        Assert.Equal(413, tooLarge.Status);
        Assert.Equal(body.Length + System.Text.Encoding.UTF8.GetByteCount(Agents.WholeText), scrape.Sum("proxygateway_replay_memory_bytes"));
        Assert.Equal(2000, scrape.Sum("proxygateway_replay_memory_limit_bytes"));
        Assert.Equal(1, scrape.Sum("proxygateway_replay_memory_rejections_total", Chat1));
        Assert.Equal(200, (await first).Status);
        Assert.Equal(0, (await Scrape.ReadAsync(gateway.Management, Cancel)).Sum("proxygateway_replay_memory_bytes"));
    }

    [Fact]
    public async Task UnhealthyDestination_IsSaidSo()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster(
            "primary",
            upstream,
            ("HealthCheck:Passive:Enabled", "true"),
            ("HealthCheck:Passive:Policy", "TransportFailureRate"),
            ("HealthCheck:AvailableDestinationsPolicy", "HealthyAndUnknown"),
            ("HealthCheck:Passive:ReactivationPeriod", "00:10:00"),
            ("Metadata:TransportFailureRateHealthPolicy.RateLimit", "0.01"),
            ("CircuitBreaker:Enabled", "false")));

        // Health policies work behind the exchange's back.
        double healthy = 1;
        for (var i = 0; i < 20 && healthy > 0; i++)
        {
            await gateway.StreamAsync();
            healthy = Assert.Single((await Scrape.ReadAsync(gateway.Management, Cancel)).Values("proxygateway_destination_healthy", ("proxy_cluster_id", "primary")));
        }

        Assert.Equal(0, healthy);
    }
}
