using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.Hosting;

/// <summary>
/// Tells systemd (<c>Type=notify</c>) when the gateway serves, drains and still turns. The protocol is one datagram per message;
/// a library for it would bring more than it saves.
/// </summary>
internal sealed partial class SystemdNotifier(SystemdNotifier.Wish wish, TimeProvider time, ILogger<SystemdNotifier> logger) : IHostedLifecycleService, IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private ITimer? _watchdog;

    /// <summary>Registers the notifier where systemd asked for it; elsewhere nothing.</summary>
    public static void AddTo(IServiceCollection services, IReadOnlyDictionary<string, string> environment)
    {
        if (Wish.From(environment, Environment.ProcessId) is { } wish)
        {
            services.AddSingleton(wish);
            services.AddHostedService<SystemdNotifier>();
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Runs when every listener is up.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Send("READY=1\nSTATUS=serving");
        if (wish.WatchdogInterval is { } limit)
        {
            // From the pool, as all the gateway's work: a pool that is stuck sends nothing. Twice per limit, as systemd advises.
            _watchdog = time.CreateTimer(static state => ((SystemdNotifier)state!).Send("WATCHDOG=1"), this, limit / 2, limit / 2);
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        Send("STOPPING=1\nSTATUS=draining");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _watchdog?.Dispose();
        _socket.Dispose();
    }

    private void Send(string message)
    {
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(message), wish.EndPoint);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Serving goes on without systemd's knowledge; what it does about that is its own affair.
            NotSent(logger, exception.GetType().Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "systemd could not be notified ({Reason}).")]
    private static partial void NotSent(ILogger logger, string reason);

    /// <summary>What systemd wants to be told, from the environment it gives to the process.</summary>
    internal sealed record Wish(UnixDomainSocketEndPoint EndPoint, TimeSpan? WatchdogInterval)
    {
        public static Wish? From(IReadOnlyDictionary<string, string> environment, int processId)
        {
            if (OperatingSystem.IsWindows() || !environment.TryGetValue("NOTIFY_SOCKET", out var path) || path.Length < 2 || path[0] is not ('/' or '@'))
            {
                return null;
            }

            // An @ stands for the zero byte that begins an abstract name.
            var endPoint = new UnixDomainSocketEndPoint(path[0] == '@' ? string.Concat("\0", path.AsSpan(1)) : path);
            var isForUs = !environment.TryGetValue("WATCHDOG_PID", out var pid) || pid == processId.ToString(CultureInfo.InvariantCulture);
            var interval = isForUs
                && environment.TryGetValue("WATCHDOG_USEC", out var text)
                && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
                && microseconds > 0
                    ? TimeSpan.FromMicroseconds(microseconds)
                    : (TimeSpan?)null;
            return new Wish(endPoint, interval);
        }
    }
}
