using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.SimulationTests.Simulation;

/// <summary>The route's own part of the configuration, as far as cases differ in it.</summary>
internal sealed record SimulatedRoute(
    string Format,
    bool Enabled = true,
    ReplayPolicy Replay = ReplayPolicy.Safe,
    MidStreamFailureAction OnMidStreamFailure = MidStreamFailureAction.Splice,
    ReplayResponseFormat ResponseFormat = ReplayResponseFormat.Stream,
    bool HasFallback = true,
    TerminalProfile Terminal = TerminalProfile.Auto,
    int MaxEventBytes = 1024 * 1024,
    int MaxDeliveredBytes = 1024 * 1024,
    TimeSpan? HedgeAfter = null);

/// <summary>
/// The product's own pipeline, from the exchange to the verdict on an attempt, with a simulated clock, client and upstream
/// around it. One thread only.
/// </summary>
internal sealed class SimulatedGateway : IDisposable
{
    public const string Primary = "primary";
    public const string Fallback = "spare";
    public const int MaxAttempts = 3;

    /// <summary>Longer than all clocks of an exchange together; a heartbeat alone would go on for ever.</summary>
    private static readonly TimeSpan TooLong = TimeSpan.FromMinutes(10);

    private readonly Dictionary<SimulatedRoute, RouteModel> _routes = [];
    private readonly CrashLog _log = new();
    private readonly SimulatedMeters _meters = new();
    private readonly GatewayMetrics _metrics;
    private readonly DrainSignal _drain = new();
    private readonly ExchangeMiddleware _entrance;
    private readonly ClusterState _primary = Cluster(Primary);
    private readonly ClusterState _hedged = Cluster(Primary, destinations: 2);
    private readonly ClusterState _fallback = Cluster(Fallback);

    public SimulatedGateway()
    {
        Upstream = new SimulatedUpstream(Time);
        var circuits = new CircuitRegistry(Time);
        _metrics = new GatewayMetrics(_meters, circuits);
        var services = new ExchangeServices(
            new ClusterVisits(circuits, new LimitRegistry(Time)), new Lookup(_fallback), _metrics, new LiveExchanges(new RecentEvents(circuits, Time)), Time, _drain);
        var verdict = new AttemptVerdictMiddleware(Upstream.ForwardAsync);
        _entrance = new ExchangeMiddleware(verdict.InvokeAsync, services, _log);
    }

    public SimulatedTime Time { get; } = new();

    public SimulatedUpstream Upstream { get; }

    public SimulatedMeters Meters => _meters;

    /// <summary>What the product logged as its own crash.</summary>
    public Exception? Crash => _log.Crash;

    /// <summary>Runs one exchange to its end. False where it hangs: the gateway is of no use afterwards.</summary>
    public bool Run(SimulatedRoute route, byte[] request, string target, SimulatedClient client, out Exception? thrown)
    {
        Time.Begin();
        _meters.Begin();
        _log.Crash = null;
        var task = _entrance.InvokeAsync(Context(route, request, target, client));
        thrown = null;
        while (!task.IsCompleted)
        {
            if (Time.Now > TooLong || !Time.FireNext())
            {
                return task.IsCompleted;
            }
        }

        thrown = task.Exception?.InnerException;
        return true;
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _meters.Dispose();
        _drain.Dispose();
    }

    private DefaultHttpContext Context(SimulatedRoute route, byte[] request, string target, SimulatedClient client)
    {
        var features = new FeatureCollection(16);
        var incoming = new HttpRequestFeature
        {
            Method = "POST",
            Path = target.Split('?')[0],
            QueryString = target.IndexOf('?') is > 0 and var query ? target[query..] : "",
            Protocol = client.IsHttp2 ? "HTTP/2" : "HTTP/1.1",
            Scheme = "http",
            Body = new MemoryStream(request, writable: false),
        };
        incoming.Headers.ContentType = "application/json";
        incoming.Headers.ContentLength = request.Length;
        incoming.Headers.Authorization = "Bearer the-client's-own";
        features.Set<IHttpRequestFeature>(incoming);
        features.Set<IHttpResponseFeature>(client);
        features.Set<IHttpResponseBodyFeature>(client);
        features.Set<IHttpRequestLifetimeFeature>(client);
        if (client.IsHttp2)
        {
            features.Set<IHttpResetFeature>(client);
        }

        var model = Route(route);
        features.Set<IReverseProxyFeature>(new ReverseProxyFeature
        {
            Route = model,
            Cluster = model.Cluster!.Model,
            AllDestinations = model.Cluster.DestinationsState.AllDestinations,
            AvailableDestinations = model.Cluster.DestinationsState.AvailableDestinations,
        });
        return new DefaultHttpContext(features);
    }

    private RouteModel Route(SimulatedRoute route)
    {
        if (_routes.TryGetValue(route, out var known))
        {
            return known;
        }

        // One worker meets each circuit thousands of times; what breakers do is not this simulation's subject.
        var breaker = new CircuitBreakerOptions { Enabled = false };
        var hedging = new HedgingOptions { Enabled = route.HedgeAfter is not null, Delay = route.HedgeAfter };
        var primary = ClusterSettings.From(Primary, new ClusterFallbackOptions { CircuitBreaker = breaker, Terminal = route.Terminal, Hedging = hedging }, FrozenDictionary<string, string>.Empty);
        var fallback = ClusterSettings.From(Fallback, new ClusterFallbackOptions { CircuitBreaker = breaker, Terminal = route.Terminal }, FrozenDictionary<string, string>.Empty);
        if (route.HasFallback)
        {
            primary.Link([new FallbackTarget(fallback, "spare-model")]);
        }

        var config = new RouteConfig { RouteId = "chat", ClusterId = Primary, Match = new RouteMatch { Path = "/{**any}" } };
        new RouteSettings
        {
            RouteId = config.RouteId,
            Format = ChatFormatRegistry.Find(route.Format) ?? throw new ArgumentException(route.Format, nameof(route)),
            RecoveryEnabled = route.Enabled,
            Replay = route.Replay,
            ResponseFormat = route.ResponseFormat,
            OnMidStreamFailure = route.OnMidStreamFailure,
            Models = [],
            ModelAliases = FrozenDictionary<string, string>.Empty,
            UnknownModel = UnknownModelAction.RouteCluster,
            Cluster = primary,
            Limits = LimitSettings.From(new StreamingFallbackOptions
            {
                MaxAttempts = MaxAttempts,
                MaxEventBytes = route.MaxEventBytes,
                MaxDeliveredBytes = route.MaxDeliveredBytes,
            }),
        }.AttachTo(config);
        return _routes[route] = new RouteModel(config, route.HedgeAfter is null ? _primary : _hedged, HttpTransformer.Empty);
    }

    private static ClusterState Cluster(string id, int destinations = 1)
    {
        var all = Enumerable.Range(1, destinations)
            .Select(i => new DestinationState($"{id}-{i}", new DestinationModel(new DestinationConfig { Address = "http://upstream.invalid" }))).ToList();
        var state = new ClusterState(id, new ClusterModel(new ClusterConfig { ClusterId = id }, new HttpMessageInvoker(new HttpClientHandler())));
        state.DestinationsState = new ClusterDestinationsState(all, all);
        return state;
    }

    private sealed class Lookup(ClusterState fallback) : IProxyStateLookup
    {
        public bool TryGetCluster(string id, [NotNullWhen(true)] out ClusterState? cluster)
        {
            cluster = id == fallback.ClusterId ? fallback : null;
            return cluster is not null;
        }

        public bool TryGetRoute(string id, [NotNullWhen(true)] out RouteModel? route) => throw new NotSupportedException();

        public IEnumerable<RouteModel> GetRoutes() => throw new NotSupportedException();

        public IEnumerable<ClusterState> GetClusters() => throw new NotSupportedException();
    }

    private sealed class CrashLog : ILogger<ExchangeMiddleware>
    {
        public Exception? Crash { get; set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Crash ??= exception;
    }
}
