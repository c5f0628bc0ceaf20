using ProxyGateway.Configuration;
using ProxyGateway.Management;
using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.Hosting;

/// <summary>
/// A stop without loss: readiness says no, balancers get time to notice, endless streams end, the listeners close, other streams finish, and those that do
/// not in time get the error event of their format.
/// </summary>
internal sealed class DrainService(GatewayOptions options, Readiness readiness, DrainSignal drain, TimeProvider time) : IHostedLifecycleService, IDisposable
{
    private ITimer? _end;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        readiness.IsReady = true;
        return Task.CompletedTask;
    }

    /// <summary>Runs before the server closes its listeners.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.IsReady = false;
        try
        {
            await Task.Delay(options.Drain.Delay, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The host is out of patience; streams are ended now.
        }

        // They would use up the whole time-out, and their clients find another instance by now.
        drain.Close();
        _end = time.CreateTimer(static s => ((DrainSignal)s!).End(), drain, options.Drain.Timeout, Timeout.InfiniteTimeSpan);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _end?.Dispose();
}
