using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>
/// Two hosts and the wire between them, made of two network namespaces and two tunnel devices, of which this process carries the
/// packets: late, out of order never, and not all of them. The kernel's TCP on both sides does what it does. Needs root, and a network
/// namespace that is this process's own.
/// </summary>
internal sealed class PacketLink : IDisposable
{
    public const string Here = "10.99.0.1";
    public const string There = "10.99.0.2";

    private const int SetInterface = 0x400454ca;
    private const short Tunnel = 0x0001 | 0x1000;

    private readonly Process _host;
    private readonly List<SafeFileHandle> _devices = [];
    private readonly CancellationTokenSource _stop = new();
    private long _carried;
    private long _lost;

    private static int s_links;

    private readonly string _wire = $"wire{Interlocked.Increment(ref s_links)}";

    private PacketLink(Process host) => _host = host;

    public TimeSpan Latency { get; set; }

    public TimeSpan Jitter { get; set; }

    /// <summary>So many packets of one are lost; 1 is a black hole.</summary>
    public double Loss { get; set; }

    public long Carried => Interlocked.Read(ref _carried);

    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>What runs a command on the other host.</summary>
    public string OnTheOtherHost => $"nsenter --net=/proc/{_host.Id}/ns/net";

    /// <summary>Whether the network is this process's own to change; the nightly script says so when it has made one.</summary>
    public static bool IsPossible => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && File.Exists("/dev/net/tun") && Environment.GetEnvironmentVariable("PROXYGATEWAY_OWN_NETWORK") == "1";

    public static PacketLink Create()
    {
        var host = Process.Start("unshare", ["-n", "sleep", "infinity"]);
        var link = new PacketLink(host);
        SpinWait.SpinUntil(() => File.Exists($"/proc/{host.Id}/ns/net") && File.ReadAllText($"/proc/{host.Id}/comm").StartsWith("sleep", StringComparison.Ordinal), TimeSpan.FromSeconds(5));
        try
        {
            link.Connect();
            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    private void Connect()
    {
        var (near, far) = (Open(_wire + "a"), Open(_wire + "b"));
        Run($"ip link set {_wire}b netns {_host.Id} && ip link set lo up && ip addr add {Here}/24 dev {_wire}a && ip link set {_wire}a up");
        Run($"{OnTheOtherHost} sh -c 'ip link set lo up && ip addr add {There}/24 dev {_wire}b && ip link set {_wire}b up'");
        Carry(near, far);
        Carry(far, near);
    }

    public void Dispose()
    {
        _stop.Cancel();
        // Whoever waits for a packet of it wakes up.
        Run($"ip link del {_wire}a 2> /dev/null || true");
        _host.Kill();
        _host.WaitForExit();
        _host.Dispose();
        _devices.ForEach(d => d.Dispose());
        _stop.Dispose();
    }

    private static void Run(string command)
    {
        using var process = Process.Start("sh", ["-c", command]);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(command);
        }
    }

    private SafeFileHandle Open(string name)
    {
        var device = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        _devices.Add(device);
        var request = new byte[40];
        Encoding.ASCII.GetBytes(name, request);
        BitConverter.TryWriteBytes(request.AsSpan(16), Tunnel);
        return Control(device, SetInterface, request) == 0 ? device : throw new InvalidOperationException($"no tunnel device: {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>One thread takes packets off a device as they come, another puts them on the other when they are due.</summary>
    private void Carry(SafeFileHandle from, SafeFileHandle to)
    {
        var underWay = new BlockingCollection<(byte[] Packet, long Due)>();
        var random = new Random(4711);
        new Thread(() =>
        {
            var buffer = new byte[2048];
            long due = 0;
            int count;
            while ((count = (int)Read(from, buffer, buffer.Length)) > 0 && !_stop.IsCancellationRequested)
            {
                Interlocked.Increment(ref _carried);
                if (random.NextDouble() < Loss)
                {
                    Interlocked.Increment(ref _lost);
                    continue;
                }

                due = Math.Max(due, Stopwatch.GetTimestamp() + (long)((Latency + (Jitter * random.NextDouble())).TotalSeconds * Stopwatch.Frequency));
                underWay.Add((buffer[..count], due));
            }
        }) { IsBackground = true }.Start();
        new Thread(() =>
        {
            try
            {
                foreach (var (packet, due) in underWay.GetConsumingEnumerable(_stop.Token))
                {
                    var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                    if (wait > TimeSpan.Zero)
                    {
                        Thread.Sleep(wait);
                    }

                    _ = Write(to, packet, packet.Length);
                }
            }
            catch (OperationCanceledException)
            {
                // The wire is cut.
            }
        }) { IsBackground = true }.Start();
    }

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static extern int Control(SafeFileHandle device, nint request, byte[] argument);

    [DllImport("libc", EntryPoint = "read", SetLastError = true)]
    private static extern nint Read(SafeFileHandle device, byte[] buffer, nint count);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    private static extern nint Write(SafeFileHandle device, byte[] buffer, nint count);
}
