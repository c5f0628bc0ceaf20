using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Telemetry;

/// <summary>With OpenTelemetry's variables set, traces arrive at a collector, and metrics lead to them.</summary>
[Collection(nameof(AloneCollection))]
public sealed class OtlpTests
{
    [Fact]
    public async Task RecoveredStream_ArrivesAtTheCollectorAndIsTheExemplarOfItsBuckets()
    {
        await using var collector = await OtlpReceiver.StartAsync();
        await using var upstream = ScriptedUpstream.Start(Agents.Started(5).ThenReset(), UpstreamScript.Json(Agents.WholeAnswer));
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream);
            s["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address;
            s["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
            s["OTEL_BSP_SCHEDULE_DELAY"] = "100";
        });

        Assert.Equal(Agents.WholeText, (await gateway.StreamAsync()).Text());
        await GatewayFixture.EventuallyAsync(() => collector.Spans.Count == 3, "the spans did not arrive");

        var spans = collector.Spans;
        var exchange = Assert.Single(spans, s => s.Name == "exchange chat");
        Assert.Equal("proxygateway", exchange.Service);
        Assert.Equal(("recovered", 2), (exchange.Attributes["proxygateway.outcome"], exchange.Events));
        Assert.Equal("", exchange.ParentSpanId);
        var attempts = spans.Where(s => s != exchange).OrderBy(s => s.Attributes["proxygateway.attempt.number"]).ToList();
        Assert.All(attempts, a => Assert.Equal((exchange.TraceId, exchange.SpanId), (a.TraceId, a.ParentSpanId)));
        Assert.Equal([attempts[0].SpanId], attempts[1].Links);

        using var client = new HttpClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0");
        await Task.Delay(350, TestContext.Current.CancellationToken);
        var scrape = await client.GetStringAsync(new Uri(gateway.Management, "/metrics"), TestContext.Current.CancellationToken);
        var exemplar = Assert.Single(scrape.Split('\n'), l => l.StartsWith("proxygateway_request_duration_seconds_bucket", StringComparison.Ordinal) && l.Contains("# {", StringComparison.Ordinal));
        Assert.Contains($"trace_id=\"{exchange.TraceId}\"", exemplar, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoVariable_NoExporterAndNoExemplar()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));
        await gateway.StreamAsync();
        await gateway.AssertIdleAsync();

        Assert.Null(gateway.Services.GetService(typeof(OpenTelemetry.Trace.TracerProvider)));
        using var client = new HttpClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0");
        var scrape = await client.GetStringAsync(new Uri(gateway.Management, "/metrics"), TestContext.Current.CancellationToken);
        Assert.DoesNotContain("trace_id", scrape, StringComparison.Ordinal);
    }
}
