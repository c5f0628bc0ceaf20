using System.Collections.Concurrent;
using System.Diagnostics;

namespace ProxyGateway.Benchmarks.Load.Targets;

/// <summary>A process this bench started. It and its own children end with it, and nothing else does.</summary>
internal sealed class ChildProcess : IDisposable
{
    /// <summary>The environment variable by which .NET runs what follows a socket's completion on the socket's own thread.</summary>
    public const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    private static readonly ConcurrentDictionary<ChildProcess, bool> Living = new();

    private readonly Process _process;

    // An interrupted bench runs no finally blocks.
    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        foreach (var child in Living.Keys)
        {
            child.Dispose();
        }
    };

    private ChildProcess(Process process)
    {
        _process = process;
        Living[this] = true;
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Standard error goes to the bench's own, standard output is dropped unless <paramref name="keepOutput"/>.</summary>
    public static ChildProcess Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, bool keepOutput = false)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
        // Set for this process, which is the client; a target is started as its own users would.
        start.Environment.Remove(InlineCompletions);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start.");
        if (!keepOutput)
        {
            process.OutputDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
        }

        return new ChildProcess(process);
    }

    /// <summary>This executable once more, in another mode.</summary>
    public static ChildProcess StartSelf(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, bool keepOutput = false) =>
        Start("dotnet", [typeof(ChildProcess).Assembly.Location, .. arguments], environment, keepOutput);

    public string? ReadLine() => _process.StandardOutput.ReadLine();

    public void Dispose()
    {
        if (!Living.TryRemove(this, out _))
        {
            return;
        }

        try
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }

        _process.Dispose();
    }
}
