using System.Net;
using System.Net.Sockets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Targets;

/// <summary>A proxy to measure: how to start it in front of an upstream, and where it then listens.</summary>
internal sealed class Target(string name, Func<int, ChildProcess> start, Func<string, string>? headers = null) : IDisposable
{
    private ChildProcess? _process;

    public string Name => name;

    public int Port { get; private set; }

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException($"{name} is not running.");

    /// <summary>A request through this proxy for one of the upstream's behaviours.</summary>
    public byte[] Request(string behaviour, bool stream) => WireText.Request(behaviour, stream, headers?.Invoke(behaviour) ?? "");

    /// <summary>Starts it and waits for its first answer; returns how long that took.</summary>
    public async Task<TimeSpan> StartAsync()
    {
        Stop();
        Port = FreePort();
        var since = System.Diagnostics.Stopwatch.GetTimestamp();
        _process = start(Port);
        while (true)
        {
            if (await Cells.ExchangesCell.AnswersAsync(this))
            {
                return System.Diagnostics.Stopwatch.GetElapsedTime(since);
            }

            if (_process.HasExited || System.Diagnostics.Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(30))
            {
                throw new InvalidOperationException($"{name} gave no answer.");
            }

            await Task.Delay(2);
        }
    }

    public void Stop()
    {
        _process?.Dispose();
        _process = null;
    }

    public void Dispose() => Stop();

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
