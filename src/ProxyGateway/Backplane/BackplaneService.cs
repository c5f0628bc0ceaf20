using Microsoft.Extensions.Primitives;
using ProxyGateway.Clients;
using ProxyGateway.Configuration;
using ProxyGateway.Management.Api;
using ProxyGateway.StreamingFallback.CircuitBreaking;

namespace ProxyGateway.Backplane;

/// <summary>Keeps one loop going for the backplane that the configuration names, and none where it names none.</summary>
internal sealed partial class BackplaneService(
    IConfiguration configuration,
    Func<BackplaneLoop> newLoop,
    BackplaneMetrics metrics,
    ILogger<BackplaneService> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private IDisposable? _changes;
    private BackplaneSettings? _settings;
    private CancellationTokenSource? _stop;
    private Task _running = Task.CompletedTask;

    public static void AddTo(IServiceCollection services)
    {
        services.AddSingleton<BackplaneMetrics>();
        services.AddHostedService(s => new BackplaneService(
            s.GetRequiredService<IConfiguration>(),
            () => new BackplaneLoop(
                new BackplaneRound(
                    s.GetRequiredService<CircuitRegistry>(),
                    () => s.GetRequiredService<StatusReport>().GuardedClusters().Where(c => c.Value.CircuitBreaker.Enabled).Select(c => c.Key),
                    s.GetRequiredService<ClientRegistry>(),
                    s.GetRequiredService<BackplaneMetrics>(),
                    s.GetRequiredService<TimeProvider>()),
                static settings => RedisStore.ConnectAsync(settings.ConnectionString(), settings.Timeout),
                s.GetRequiredService<BackplaneMetrics>(),
                s.GetRequiredService<ILogger<BackplaneService>>(),
                s.GetRequiredService<TimeProvider>()),
            s.GetRequiredService<BackplaneMetrics>(),
            s.GetRequiredService<ILogger<BackplaneService>>()));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Follow();
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, Follow);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _changes?.Dispose();
        await _end.CancelAsync();
        // A server that does not answer must not hold up the end of the process.
        await _running.WaitAsync(Patience, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _changes?.Dispose();
        _stop?.Dispose();
        _end.Dispose();
    }

    private void Follow()
    {
        BackplaneSettings? next;
        try
        {
            var options = new BackplaneOptions();
            configuration.GetSection("Gateway:Backplane").Bind(options);
            next = BackplaneSettings.From(options);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            Kept(logger);
            return;
        }

        lock (_gate)
        {
            if (_end.IsCancellationRequested || (next is null ? _settings is null : next.Matches(_settings)))
            {
                return;
            }

            _settings = next;
            _stop?.Cancel();
            _stop = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            _running = SucceedAsync(_running, next, _stop.Token);
        }
    }

    /// <summary>One loop at a time: the last one forgets what the next one learns.</summary>
    private async Task SucceedAsync(Task last, BackplaneSettings? settings, CancellationToken stop)
    {
        await Task.Yield();
        await last;
        if (settings is null)
        {
            metrics.End();
        }
        else if (!stop.IsCancellationRequested)
        {
            await newLoop().RunAsync(settings, stop);
        }
    }

    [LoggerMessage(EventId = 3, EventName = "BackplaneKept", Level = LogLevel.Warning, Message = "the Gateway:Backplane section cannot be read; what was in force stays")]
    private static partial void Kept(ILogger logger);
}
