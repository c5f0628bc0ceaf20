using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.Tests.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Telemetry;

/// <summary>What is written of the metrics is what the meter has.</summary>
public sealed class MetricsReferenceTests
{
    private const string Begin = "<!-- metrics:begin -->\n";
    private const string End = "<!-- metrics:end -->";

    [Fact]
    public void Reference_IsMadeFromTheDefinitions()
    {
        var path = RepositoryFiles.PathOf("docs", "metrics.md");
        var expected = MetricsReference.Write();
        if (RepositoryFiles.IsUpdate)
        {
            var old = File.ReadAllText(path);
            File.WriteAllText(path, old.Replace(Generated(old), expected, StringComparison.Ordinal));
        }

        Assert.Equal(expected, Generated(File.ReadAllText(path)));
    }

    [Fact]
    public void Meter_HasTheInstrumentsOfTheCatalogueAndNoOther()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = services.GetRequiredService<IMeterFactory>();
        var instruments = new Dictionary<string, Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    instruments.Add(instrument.Name, instrument);
                }
            },
        };
        listener.Start();
        var circuits = new CircuitRegistry(TimeProvider.System);
        using var metrics = new GatewayMetrics(factory, circuits);
        using var clusters = new ClusterMetrics(metrics, factory, circuits, new LiveExchanges(new RecentEvents(circuits, TimeProvider.System)), services);

        Assert.Equal(MetricCatalogue.All.Select(d => d.Name).Order(), instruments.Keys.Order());
        Assert.All(MetricCatalogue.All, d => Assert.Equal((d.Unit, d.Description, d.Kind), (instruments[d.Name].Unit, instruments[d.Name].Description, KindOf(instruments[d.Name]))));
    }

    [Theory]
    [InlineData("proxygateway_request_duration_seconds")]
    [InlineData("proxygateway_stream_failures_total", "phase", "reason")]
    [InlineData("proxygateway_fallbacks_total", "reason", "outcome")]
    [InlineData("proxygateway_recovery_duration_seconds")]
    [InlineData("proxygateway_upstream_attempts_total", "mode", "result")]
    [InlineData("proxygateway_streams_active")]
    [InlineData("proxygateway_stream_max_gap_seconds")]
    [InlineData("proxygateway_overhead_seconds")]
    [InlineData("proxygateway_circuit_breaker_state", "state")]
    [InlineData("proxygateway_circuit_breaker_transitions_total")]
    [InlineData("proxygateway_circuit_breaker_rejections_total")]
    [InlineData("proxygateway_destination_healthy", "proxy_cluster_id", "proxy_destination_id")]
    [InlineData("proxygateway_replay_memory_bytes")]
    [InlineData("proxygateway_divergences_total")]
    [InlineData("proxygateway_wasted_tokens_total")]
    [InlineData("proxygateway_config_last_reload_successful")]
    [InlineData("gen_ai_client_operation_time_to_first_chunk_seconds")]
    [InlineData("gen_ai_client_token_usage")]
    public void PromisedMetric_IsThereWithItsLabels(string name, params string[] labels)
    {
        var metric = Assert.Single(MetricsReference.All, m => m.ExportedName == name);
        Assert.Subset(metric.Labels.Select(l => l.ExportedName).ToHashSet(), labels.ToHashSet());
    }

    [Fact]
    public void Durations_HoldTheLimitsOperatorsThinkIn()
    {
        var durations = MetricsReference.All.Where(m => m is { Unit: "s", Kind: MetricKind.Histogram }).ToList();
        Assert.NotEmpty(durations);
        Assert.All(durations, d => Assert.Subset(d.Buckets!.ToHashSet(), new HashSet<double> { 1, 2, 3, 5, 600 }));
        Assert.All(durations, d => Assert.Equal(d.Buckets!.Order(), d.Buckets!));
    }

    [Fact]
    public void EveryFaultOfAnUpstream_HasAPhaseToBeginIn() => Assert.All(
        Enum.GetValues<FaultKind>().Where(k => k.Side() == FaultSide.Upstream && k != FaultKind.NoDestination),
        k => Assert.NotEmpty(k.Phases()));

    [Fact]
    public void ManyRoutesAndClusters_BeginNoMoreSeriesThanTheirBound()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = services.GetRequiredService<IMeterFactory>();
        var series = new Dictionary<string, int>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((i, value, _, _) =>
        {
            Assert.Equal(0, value);
            series[i.Name] = series.GetValueOrDefault(i.Name) + 1;
        });
        listener.Start();
        using var metrics = new GatewayMetrics(factory, new CircuitRegistry(TimeProvider.System));

        for (var route = 0; route < 30; route++)
        {
            metrics.RouteAppeared($"r{route}");
            for (var cluster = 0; cluster < 30; cluster++)
            {
                metrics.ClusterAppeared($"c{cluster}");
                metrics.PairAppeared($"r{route}", $"c{cluster}");
            }
        }

        var once = new Dictionary<string, int>(series);
        metrics.PairAppeared("r0", "c0");

        Assert.Equal(once, series);
        Assert.All(series, s => Assert.InRange(s.Value, 1, 1000));
        Assert.Equal(210, series["proxygateway.exchanges"]);
        Assert.Equal(360, series["proxygateway.circuit_breaker.transitions"]);
        Assert.InRange(series["proxygateway.stream.failures"], 900, 1000);
    }

    private static MetricKind KindOf(Instrument instrument) => instrument switch
    {
        Counter<long> => MetricKind.Counter,
        Histogram<double> or Histogram<long> => MetricKind.Histogram,
        _ => MetricKind.Gauge,
    };

    private static string Generated(string text) =>
        text[(text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..text.IndexOf(End, StringComparison.Ordinal)];
}
