using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ProxyGateway.Hosting;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hosting;

/// <summary>What systemd is told, over a socket as systemd opens it.</summary>
public sealed class SystemdNotifierTests
{
    private static readonly bool s_isUnix = !OperatingSystem.IsWindows();

    [Fact]
    public async Task Life_IsTold()
    {
        Assert.SkipUnless(s_isUnix, "There is no systemd.");
        using var systemd = new Listener();
        var time = new FakeTimeProvider();
        using var notifier = new SystemdNotifier(SystemdNotifier.Wish.From(systemd.Environment(("WATCHDOG_USEC", "30000000")), 1)!, time, NullLogger<SystemdNotifier>.Instance);

        await notifier.StartedAsync(CancellationToken.None);
        Assert.Equal("READY=1\nSTATUS=serving", systemd.Receive());
        time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("WATCHDOG=1", systemd.Receive());
        await notifier.StoppingAsync(CancellationToken.None);
        Assert.Equal("STOPPING=1\nSTATUS=draining", systemd.Receive());
        // Draining takes long; the watchdog must not end it.
        time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("WATCHDOG=1", systemd.Receive());
    }

    [Fact]
    public async Task SystemdGone_ChangesNothing()
    {
        Assert.SkipUnless(s_isUnix, "There is no systemd.");
        var wish = SystemdNotifier.Wish.From(new Dictionary<string, string> { ["NOTIFY_SOCKET"] = "/nowhere/notify" }, 1)!;
        using var notifier = new SystemdNotifier(wish, TimeProvider.System, NullLogger<SystemdNotifier>.Instance);

        await notifier.StartedAsync(CancellationToken.None);
        await notifier.StoppingAsync(CancellationToken.None);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("relative")]
    public void NobodyAsked_NothingIsRegistered(string? socket)
    {
        var services = new ServiceCollection();

        SystemdNotifier.AddTo(services, socket is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["NOTIFY_SOCKET"] = socket });

        Assert.Empty(services);
    }

    [Fact]
    public void Asked_IsAHostedService()
    {
        Assert.SkipUnless(s_isUnix, "There is no systemd.");
        var services = new ServiceCollection();

        SystemdNotifier.AddTo(services, new Dictionary<string, string> { ["NOTIFY_SOCKET"] = "@/org/freedesktop/systemd1/notify" });

        Assert.Single(services, s => s.ServiceType == typeof(IHostedService));
    }

    [Theory]
    [InlineData("1", "30000000", 30)]
    [InlineData("2", "30000000", null)]
    [InlineData("1", "0", null)]
    [InlineData("1", "soon", null)]
    public void Watchdog_IsForTheProcessItNames(string pid, string microseconds, int? seconds)
    {
        Assert.SkipUnless(s_isUnix, "There is no systemd.");
        var environment = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = "/run/notify", ["WATCHDOG_PID"] = pid, ["WATCHDOG_USEC"] = microseconds };

        Assert.Equal(seconds, SystemdNotifier.Wish.From(environment, 1)!.WatchdogInterval?.TotalSeconds);
    }

    private sealed class Listener : IDisposable
    {
        private readonly string _path = Path.Combine(Path.GetTempPath(), $"notify-{Guid.NewGuid():n}");
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };

        public Listener() => _socket.Bind(new UnixDomainSocketEndPoint(_path));

        public Dictionary<string, string> Environment(params (string Name, string Value)[] more) =>
            more.Append(("NOTIFY_SOCKET", _path)).ToDictionary(e => e.Item1, e => e.Item2);

        public string Receive()
        {
            var buffer = new byte[4096];
            return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer));
        }

        public void Dispose()
        {
            _socket.Dispose();
            File.Delete(_path);
        }
    }
}
