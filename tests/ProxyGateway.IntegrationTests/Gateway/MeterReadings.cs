using System.Diagnostics.Metrics;
using ProxyGateway.StreamingFallback.Telemetry;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>What one gateway's meter counted. Other gateways in this process have meters of the same name; theirs is left out.</summary>
internal sealed class MeterReadings : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly List<(string Instrument, Dictionary<string, string> Tags, double Value)> _readings = [];

    public MeterReadings(IMeterFactory factory)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == GatewayMetrics.MeterName && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        _listener.Start();
    }

    /// <summary>The sum of what was added under these tags; histograms count their records.</summary>
    public long Count(string instrument, params (string Tag, string Value)[] tags)
    {
        lock (_lock)
        {
            var matching = _readings.Where(r => r.Instrument == instrument && tags.All(t => r.Tags.GetValueOrDefault(t.Tag) == t.Value)).ToList();
            return instrument.EndsWith("duration", StringComparison.Ordinal) || instrument.EndsWith("first_content", StringComparison.Ordinal)
                ? matching.Count
                : (long)matching.Sum(r => r.Value);
        }
    }

    public IReadOnlyDictionary<string, long> By(string instrument, string tag)
    {
        lock (_lock)
        {
            // Series begin with a 0 at start and after each reload, whenever that may be; it counts nothing.
            return _readings.Where(r => r.Instrument == instrument && (r.Value != 0 || r.Instrument.EndsWith("duration", StringComparison.Ordinal))).GroupBy(r => r.Tags.GetValueOrDefault(tag, "")).ToDictionary(
                g => g.Key,
                g => instrument.EndsWith("duration", StringComparison.Ordinal) ? g.Count() : (long)g.Sum(r => r.Value));
        }
    }

    /// <summary>What a gauge of one series says now; null where it has none.</summary>
    public double? Observe(string instrument)
    {
        lock (_lock)
        {
            _readings.RemoveAll(r => r.Instrument == instrument);
        }

        _listener.RecordObservableInstruments();
        lock (_lock)
        {
            return _readings.Where(r => r.Instrument == instrument).Select(r => (double?)r.Value).SingleOrDefault();
        }
    }

    public long Active => Count("proxygateway.streams.active");

    /// <summary>The counters as the stream contract wants them.</summary>
    public ContractCounters ToContract()
    {
        lock (_lock)
        {
            return new ContractCounters
            {
                ExchangesStarted = _readings.Count(r => r.Instrument == "proxygateway.streams.active" && r.Value > 0),
                ExchangesByOutcome = By("proxygateway.request.duration", "outcome"),
                AttemptsStarted = Count("proxygateway.upstream.attempts"),
                AttemptsByResult = By("proxygateway.upstream.attempts", "result"),
                KnownOutcomes = [.. Enum.GetValues<ExchangeOutcome>().Select(o => o.Label())],
                KnownResults = [.. Enum.GetValues<AttemptResult>().Select(r => r.Label())],
            };
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var copy = tags.ToArray().ToDictionary(t => t.Key, t => t.Value?.ToString() ?? "");
        lock (_lock)
        {
            _readings.Add((instrument.Name, copy, value));
        }
    }
}
