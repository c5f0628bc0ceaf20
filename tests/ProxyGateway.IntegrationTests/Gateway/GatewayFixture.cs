using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ProxyGateway.Hosting;
using ProxyGateway.Management;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;
using Yarp.ReverseProxy.Configuration;

namespace ProxyGateway.IntegrationTests.Gateway;

/// <summary>How the client talks to the gateway.</summary>
public enum Wire
{
    Http1,
    Http2,
}

/// <summary>The whole gateway in this process, on real sockets, in front of a test's upstreams. One per test: circuits and counters are its own.</summary>
internal sealed class GatewayFixture : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly WebApplication _app;
    private readonly GatewaySetup _setup;
    private readonly SwappedConfiguration _configuration;

    private GatewayFixture(WebApplication app, GatewaySetup setup, SwappedConfiguration configuration, LogLines log, MeterReadings meter)
    {
        _app = app;
        _setup = setup;
        _configuration = configuration;
        Log = log;
        Meter = meter;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        (Http1, Http2) = (new Uri(addresses[0]), new Uri(addresses[1]));
        Management = new Uri(app.Services.GetRequiredService<ManagementServer>().Address!);
    }

    public Uri Http1 { get; }

    public Uri Http2 { get; }

    public Uri Management { get; }

    public LogLines Log { get; }

    public MeterReadings Meter { get; }

    public IServiceProvider Services => _app.Services;

    public LimitRegistry Limits => _app.Services.GetRequiredService<LimitRegistry>();

    public CircuitRegistry Circuits => _app.Services.GetRequiredService<CircuitRegistry>();

    public static async Task<GatewayFixture> StartAsync(Action<GatewaySetup> configure)
    {
        var setup = new GatewaySetup().Chat();
        configure(setup);
        var log = new LogLines();
        var configuration = new SwappedConfiguration(setup.Values);
        var app = GatewayHost.Build(c => c.Add(configuration), builder =>
        {
            builder.Logging.ClearProviders().AddProvider(log);
            // A test process must not be ended by a signal meant for a gateway.
            builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
            builder.Services.AddSingleton<AppliedConfigurations>();
            builder.Services.AddSingleton<IConfigChangeListener>(s => s.GetRequiredService<AppliedConfigurations>());
        });
        var meter = new MeterReadings(app.Services.GetRequiredService<IMeterFactory>());
        await app.StartAsync();
        return new GatewayFixture(app, setup, configuration, log, meter);
    }

    /// <summary>Changes the configuration under the running gateway and waits until YARP has taken it on.</summary>
    public async Task ReloadAsync(Action<GatewaySetup> change)
    {
        change(_setup);
        var applied = _app.Services.GetRequiredService<AppliedConfigurations>();
        var before = applied.Count;
        _configuration.Swap(_setup.Values);
        await EventuallyAsync(() => applied.Count > before, "the configuration was not taken on");
    }

    /// <summary>Sends a request and waits for its ending.</summary>
    public Task<HttpResult> SendAsync(Wire wire, byte[] body, Func<HttpCall, HttpCall>? change = null)
    {
        var call = new HttpCall { Address = wire == Wire.Http1 ? Http1 : Http2, Body = body };
        call = change?.Invoke(call) ?? call;
        var cancel = TestContext.Current.CancellationToken;
        return wire == Wire.Http1 ? RawHttpClient.SendAsync(call, cancel) : Http2Client.SendAsync(call, cancel);
    }

    /// <summary>Sends the usual streaming request.</summary>
    public Task<HttpResult> StreamAsync(Wire wire = Wire.Http1) => SendAsync(wire, Chat.Default.Request());

    /// <summary>Every upstream call so far, in the order in which they began.</summary>
    public IReadOnlyList<(string Cluster, RecordedExchange Exchange)> Calls =>
        [.. _setup.Upstreams.SelectMany(u => u.Upstream.Exchanges.Select(e => (u.Cluster, e))).OrderBy(c => c.e.At)];

    /// <summary>
    /// Holds a gateway's only exchange to the stream contract, with what its upstreams saw and what it counted, once nothing of
    /// it is left running.
    /// </summary>
    public async Task AssertContractAsync(HttpResult result, byte[]? request = null, Func<Transcript, Transcript>? change = null)
    {
        await AssertIdleAsync();
        var transcript = ToTranscript(result, request ?? Chat.Default.Request(), Calls) with { Counters = Meter.ToContract() };
        AssertKept(change?.Invoke(transcript) ?? transcript);
    }

    /// <summary>As <see cref="AssertContractAsync"/> for one exchange of many: counters are left out, its calls are named.</summary>
    public void AssertContract(HttpResult result, byte[] request, IEnumerable<(string Cluster, RecordedExchange Exchange)> calls, Func<Transcript, Transcript>? change = null)
    {
        var transcript = ToTranscript(result, request, calls);
        AssertKept(change?.Invoke(transcript) ?? transcript);
    }

    /// <summary>No exchange, no upstream call is left running.</summary>
    public async Task AssertIdleAsync()
    {
        foreach (var (cluster, exchange) in Calls)
        {
            try
            {
                Assert.NotEqual(AttemptEnding.LeftOpen, await exchange.Ended.WaitAsync(Patience, TestContext.Current.CancellationToken));
            }
            catch (TimeoutException)
            {
                Assert.Fail($"Call {exchange.Number} at {cluster} is still running.");
            }
        }

        await EventuallyAsync(() => Meter.Active == 0, "streams_active is not back to 0");
    }

    /// <summary>Waits until something that is about to happen has happened.</summary>
    public static async Task EventuallyAsync(Func<bool> condition, string otherwise)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, otherwise);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Meter.Dispose();
    }

    private static void AssertKept(Transcript transcript)
    {
        var violations = StreamContract.Check(transcript);
        if (violations.Count > 0)
        {
            var attempts = transcript.Attempts.Select(a => $"{a.Kind} at {a.Cluster}: {a.Status}, {a.Ending}, {a.Body.Length} bytes");
            Assert.Fail($"""
                {string.Join(Environment.NewLine, violations)}
                --- attempts
                {string.Join(Environment.NewLine, attempts)}
                --- client: {transcript.Client.Status}, {transcript.Client.Ending}
                {System.Text.Encoding.UTF8.GetString(transcript.Client.Body)}
                """);
        }
    }

    private Transcript ToTranscript(HttpResult result, byte[] request, IEnumerable<(string Cluster, RecordedExchange Exchange)> calls) => new()
    {
        RequestBody = request,
        Attempts = [.. calls.Select(c => c.Exchange.ToAttempt(c.Cluster, _setup.IsFallback(c.Cluster)))],
        Client = result.ToClientRecord(),
    };

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
