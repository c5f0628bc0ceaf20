using System.Runtime.InteropServices;

namespace ProxyGateway.Configuration.Reload;

/// <summary>Looks at the disk once a second, and at once on SIGHUP.</summary>
internal sealed class ConfigurationReloadService(ConfigurationReloader reloader, TimeProvider time) : IHostedService, IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private ITimer? _timer;
    private PosixSignalRegistration? _hangUp;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(static state => ((ConfigurationReloader)state!).Poll(), reloader, s_interval, s_interval);
        if (!OperatingSystem.IsWindows())
        {
            _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _hangUp?.Dispose();
    }

    private void OnHangUp(PosixSignalContext context)
    {
        // Without this the signal would end the process.
        context.Cancel = true;
        reloader.Reload(dryRun: false);
    }
}
