using System.Diagnostics;
using System.Runtime.InteropServices;
using ProxyGateway.TestKit;
using Xunit;

namespace ProxyGateway.DeployTests.Container;

/// <summary>
/// The gateway's own program, as an image runs it: another user where this one may change users, a filesystem nobody may write to where
/// this one may have a mount namespace, and a configuration directory from outside.
/// </summary>
internal sealed class PublishedGateway : IAsyncDisposable
{
    private const int User = 65532;

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private PublishedGateway(Process process, string folder, int port, int managementPort)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
        (Folder, Proxy, Management) = (folder, new Uri($"http://127.0.0.1:{port}"), new Uri($"http://127.0.0.1:{managementPort}"));
    }

    public string Folder { get; }

    public Uri Proxy { get; }

    public Uri Management { get; }

    /// <summary>Whether this machine lets the tests take a program's rights away; a container around the tests may not.</summary>
    public static bool IsConfined { get; } = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && MayUnshare();

    private static string Program => Path.Combine(AppContext.BaseDirectory, "proxygateway");

    public static async Task<PublishedGateway> StartAsync(string configuration, Dictionary<string, string>? environment = null)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-mounted-").FullName;
        File.WriteAllText(Path.Combine(folder, "appsettings.json"), configuration);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }

        var (port, managementPort) = (FreePort.Next(), FreePort.Next());
        var start = Command(["run", "--config", Path.Combine(folder, "appsettings.json")]);
        start.Environment["Gateway__Listen"] = $"http://127.0.0.1:{port}";
        start.Environment["Gateway__ManagementListen"] = $"http://127.0.0.1:{managementPort}";
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        var gateway = new PublishedGateway(Process.Start(start)!, folder, port, managementPort);
        await gateway.WaitUntilReadyAsync();
        return gateway;
    }

    /// <summary>The verb, in a process of its own with the same configuration.</summary>
    public async Task<(int ExitCode, string Output)> HealthCheckAsync(params string[] more)
    {
        var start = Command(["healthcheck", "--config", Path.Combine(Folder, "appsettings.json"), .. more]);
        start.Environment["Gateway__ManagementListen"] = Management.GetLeftPart(UriPartial.Authority);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output);
    }

    /// <summary>What the kernel says of the process: its user ids and whether it could gain privileges.</summary>
    public string Status => File.ReadAllText($"/proc/{_process.Id}/status");

    /// <summary>Waits until a gauge has a value.</summary>
    public async Task MetricAsync(string name, int value)
    {
        using var client = new HttpClient { BaseAddress = Management };
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(10); await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
            if (metrics.Split('\n').Any(l => l.StartsWith(name, StringComparison.Ordinal) && l.Split(' ')[1] == $"{value}"))
            {
                return;
            }
        }

        Assert.Fail($"{name} did not become {value}");
    }

    public void Signal(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    public async Task<(int ExitCode, string Log)> ExitedAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, await _output + await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>exec all the way, so that the process that is signalled is the gateway.</summary>
    private static ProcessStartInfo Command(string[] arguments)
    {
        string[] line = IsConfined
            ?
            [
                "unshare", "--mount", "sh", "-c", "mount -o remount,bind,ro / && exec \"$@\"", "sh",
                "setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "--no-new-privs", "--bounding-set=-all", Program,
            ]
            : [Program];
        var start = new ProcessStartInfo(line[0], [.. line[1..], .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment.Remove("HOME");
        return start;
    }

    private static bool MayUnshare()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("unshare", ["--mount", "true"]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private async Task WaitUntilReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = Management };
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(30);)
        {
            Assert.False(_process.HasExited, _process.HasExited ? $"ended with {_process.ExitCode}: {await _output}{await _errors}" : "");
            try
            {
                using var response = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not up yet.
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Fail("not ready within 30 s");
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
