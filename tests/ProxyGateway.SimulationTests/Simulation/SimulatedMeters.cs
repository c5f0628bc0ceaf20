using System.Diagnostics.Metrics;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Simulation;

/// <summary>Listens to one gateway's meter and keeps what one exchange counted.</summary>
internal sealed class SimulatedMeters : IMeterFactory
{
    private static readonly string[] Outcomes = ["completed", "recovered", "terminated", "failed", "relayed", "rejected", "client_gone"];
    private static readonly string[] Results = ["complete", "answer", "failed", "cancelled"];

    private readonly MeterListener _listener = new();
    private readonly List<Meter> _meters = [];
    private readonly Dictionary<string, long> _outcomes = [];
    private readonly Dictionary<string, long> _results = [];
    private long _started;

    public SimulatedMeters()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (_meters.Contains(instrument.Meter)
                && instrument.Name is "proxygateway.streams.active" or "proxygateway.upstream.attempts" or "proxygateway.request.duration")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Name == "proxygateway.upstream.attempts")
            {
                Count(_results, tags, "result");
                return;
            }

            Active += value;
            _started += value > 0 ? value : 0;
        });
        _listener.SetMeasurementEventCallback<double>((_, _, tags, _) => Count(_outcomes, tags, "outcome"));
        _listener.Start();
    }

    /// <summary>Exchanges in flight.</summary>
    public long Active { get; private set; }

    /// <summary>The one outcome that was counted; null where it was none or several.</summary>
    public string? Outcome => _outcomes.Count == 1 ? _outcomes.Keys.First() : null;

    /// <summary>How many attempts came to <paramref name="result"/>.</summary>
    public long AttemptsThat(string result) => _results.GetValueOrDefault(result);

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Begin()
    {
        _outcomes.Clear();
        _results.Clear();
        _started = 0;
        Active = 0;
    }

    public ContractCounters Counters(int attempts) => new()
    {
        ExchangesStarted = _started,
        ExchangesByOutcome = new Dictionary<string, long>(_outcomes),
        AttemptsStarted = attempts,
        AttemptsByResult = new Dictionary<string, long>(_results),
        KnownOutcomes = Outcomes,
        KnownResults = Results,
    };

    public void Dispose()
    {
        _listener.Dispose();
        _meters.ForEach(m => m.Dispose());
    }

    private static void Count(Dictionary<string, long> counts, ReadOnlySpan<KeyValuePair<string, object?>> tags, string label)
    {
        foreach (var (key, value) in tags)
        {
            if (key == label)
            {
                var name = (string)value!;
                counts[name] = counts.GetValueOrDefault(name) + 1;
            }
        }
    }
}
