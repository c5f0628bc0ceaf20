using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxyGateway.Backplane;
using ProxyGateway.Clients;
using ProxyGateway.Configuration;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Backplane;

/// <summary>What one replica has that is shared: a circuit of the cluster <c>agent</c>, and a client <c>alice</c> with five requests a minute.</summary>
internal sealed class Replica : IDisposable
{
    public const string Cluster = "Agent";
    public const string Key = "alice-key";

    private static readonly CircuitBreakerSettings Breaker = CircuitBreakerSettings.From(new CircuitBreakerOptions { BreakJitter = 0 });

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, long> _counts = [];

    public Replica(TimeProvider time, Func<IEnumerable<string>>? clusters = null)
    {
        var factory = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var name = string.Join(' ', tags.ToArray().Where(t => t.Key is "reason" or "direction").Select(t => $"{t.Value}").Prepend(instrument.Name));
            _counts[name] = instrument.Name == BackplaneMetrics.Up.Name ? value : _counts.GetValueOrDefault(name) + value;
        });
        _listener.Start();
        Metrics = new BackplaneMetrics(factory);
        Circuits = new CircuitRegistry(time);
        Clients = new ClientRegistry(
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Clients:alice:KeyHash"] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Key))),
                ["Clients:alice:RequestsPerMinute"] = "5",
            }).Build(),
            NullLogger<ClientRegistry>.Instance);
        Round = new BackplaneRound(Circuits, clusters ?? (() => [Cluster]), Clients, Metrics, time);
    }

    public static BackplaneSettings Settings { get; } = BackplaneSettings.From(new BackplaneOptions { ConnectionString = "nowhere:1" })!;

    public BackplaneMetrics Metrics { get; }

    public CircuitRegistry Circuits { get; }

    public ClientRegistry Clients { get; }

    public BackplaneRound Round { get; }

    public CircuitCell Cell => Circuits.Get(Cluster).Cluster;

    /// <summary>The gauge; null where there is no series.</summary>
    public long? Up
    {
        get
        {
            _counts.Remove(BackplaneMetrics.Up.Name);
            _listener.RecordObservableInstruments();
            return _counts.TryGetValue(BackplaneMetrics.Up.Name, out var up) ? up : null;
        }
    }

    public long Count(string name) => _counts.GetValueOrDefault(name);

    public void Fail(int times = 5)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.True(Cell.TryEnter(Breaker, out var permit, out _));
            permit.OnFailure();
        }
    }

    public CircuitPermit? Enter() => Cell.TryEnter(Breaker, out var permit, out _) ? permit : null;

    public bool MayAsk() => Clients.Current.Find(Key)!.Value.Limits.TryEnter(out _) is not null;

    public async Task<StoreAnswer> RoundAsync(IBackplaneStore store, BackplaneSettings? settings = null) => await Round.RunAsync(store, settings ?? Settings);

    public void Dispose()
    {
        _listener.Dispose();
        Clients.Dispose();
        Metrics.Dispose();
        _services.Dispose();
    }
}
