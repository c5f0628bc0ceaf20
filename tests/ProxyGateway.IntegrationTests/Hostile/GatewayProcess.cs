using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>
/// The gateway as a process of its own, as an operator starts it, for what only a process has: memory, descriptors, an exit code.
/// <c>PROXYGATEWAY_BINARY</c> names another one than this build's (a published one).
/// </summary>
internal sealed partial class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly string _folder;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly HttpClient _management;
    private readonly GatewaySetup _setup;
    private readonly GatewayLaunch _launch;

    private GatewayProcess(Process process, string folder, GatewaySetup setup, GatewayLaunch launch)
    {
        (_process, _folder, _setup, _launch) = (process, folder, setup, launch);
        (Http1, Http2, Management) = (Address("Listen"), Address("ListenHttp2"), Address("ManagementListen"));
        _management = new HttpClient { BaseAddress = Management, Timeout = TimeSpan.FromSeconds(30), DefaultRequestHeaders = { { "x-gateway-management", "1" } } };
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Management { get; }

    public int Id => _process.Id;

    /// <summary>Lines of level Error or worse, the first of them.</summary>
    public IReadOnlyCollection<string> Errors => _errors;

    public Uri Http1 { get; }

    public Uri Http2 { get; }

    public bool HasExited => _process.HasExited;

    public string Log => string.Join('\n', _log);

    /// <summary>Resident memory in bytes.</summary>
    public long Resident => Status("VmRSS") * 1024;

    /// <summary>The most resident memory there ever was, in bytes.</summary>
    public long PeakResident => Status("VmHWM") * 1024;

    /// <summary>Whether a library of this name is part of the process.</summary>
    public bool HasLoaded(string library) => File.ReadLines($"/proc/{_process.Id}/maps").Any(l => l.Contains(library, StringComparison.OrdinalIgnoreCase));

    public int Descriptors => Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Length;

    /// <summary>What each open descriptor is: a path, or a kind with its number.</summary>
    public IReadOnlyList<string> OpenFiles => [.. Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Select(f => new FileInfo(f).LinkTarget).OfType<string>()];

    public int Threads => (int)Status("Threads");

    /// <summary>Processor time used so far.</summary>
    public TimeSpan CpuTime => Process.GetProcessById(_process.Id).TotalProcessorTime;

    /// <summary>Starts it and waits until it is ready. <paramref name="limit"/> is a shell command run in the same process before it, such as <c>ulimit -n 512</c>.</summary>
    public static Task<GatewayProcess> StartAsync(Action<GatewaySetup> configure, string? limit = null, params (string Name, string Value)[] environment) =>
        StartAsync(configure, new GatewayLaunch { Before = limit, Environment = environment });

    public static async Task<GatewayProcess> StartAsync(Action<GatewaySetup> configure, GatewayLaunch launch)
    {
        int[] ports = [FreePort.Next(), FreePort.Next(), FreePort.Next()];
        var setup = new GatewaySetup().Chat();
        setup["Gateway:Listen"] = $"http://{launch.Address}:{ports[0]}";
        setup["Gateway:ListenHttp2"] = $"http://{launch.Address}:{ports[1]}";
        setup["Gateway:ManagementListen"] = $"http://{launch.Address}:{ports[2]}";
        configure(setup);
        return await StartAsync(Directory.CreateTempSubdirectory("gateway-").FullName, setup, launch);
    }

    /// <summary>Starts another of the same configuration, ports included, in the place of one that has ended.</summary>
    public Task<GatewayProcess> StartAgainAsync() => StartAsync(Directory.CreateTempSubdirectory("gateway-").FullName, _setup, _launch);

    private static async Task<GatewayProcess> StartAsync(string folder, GatewaySetup setup, GatewayLaunch launch)
    {
        var file = Path.Combine(folder, "appsettings.json");
        await ConfigurationFile.WriteAsync(file, setup);
        var binary = Environment.GetEnvironmentVariable("PROXYGATEWAY_BINARY") ?? Path.Combine(AppContext.BaseDirectory, "proxygateway.dll");
        var command = binary.EndsWith(".dll", StringComparison.Ordinal) ? $"dotnet '{binary}'" : $"'{binary}'";
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"{(launch.Before is null ? "" : launch.Before + " && ")}exec {launch.Under} {command} run --config '{file}'"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in launch.Environment)
        {
            start.Environment[name] = value;
        }

        var gateway = new GatewayProcess(Process.Start(start)!, folder, setup, launch);
        var since = Stopwatch.StartNew();
        while (!await gateway.IsReadyAsync())
        {
            Assert.False(gateway.HasExited, gateway.Log);
            Assert.True(since.Elapsed < StartLimit, gateway.Log);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return gateway;
    }

    /// <summary>Changes the configuration's file under it. It sees that within a second or so; nothing waits for it.</summary>
    public Task RewriteAsync(Action<GatewaySetup> change)
    {
        change(_setup);
        return ConfigurationFile.WriteAsync(Path.Combine(_folder, "appsettings.json"), _setup);
    }

    /// <summary>Spoils the configuration's file.</summary>
    public Task SpoilAsync(string text) => File.WriteAllTextAsync(Path.Combine(_folder, "appsettings.json"), text);

    public async Task<HttpStatusCode> PostAsync(string path)
    {
        using var answer = await _management.PostAsync(new Uri(path, UriKind.Relative), null, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    /// <summary>Sends a signal: TERM, KILL, STOP, CONT.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end and says how it ended: the exit code, 128 + the signal's number where one killed it.</summary>
    public async Task<int> ExitAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            using var answer = await _management.GetAsync(new Uri("/health/ready", UriKind.Relative), limit.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The samples of one metric by the value of one label (empty: without it), added up.</summary>
    public async Task<Dictionary<string, long>> MetricAsync(string name, string label)
    {
        // A scrape is cached for a moment.
        await Task.Delay(400, TestContext.Current.CancellationToken);
        var text = await _management.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        var sums = new Dictionary<string, long>();
        foreach (var line in text.Split('\n').Where(l => l.StartsWith(name + "{", StringComparison.Ordinal) || l.StartsWith(name + " ", StringComparison.Ordinal)))
        {
            var key = Regex.Match(line, $"[{{,]{label}=\"([^\"]*)\"").Groups[1].Value;
            var value = (long)double.Parse(SampleValue().Match(line).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            sums[key] = sums.GetValueOrDefault(key) + value;
        }

        return sums;
    }

    /// <summary>Waits until no exchange is in flight.</summary>
    public async Task AssertIdleAsync()
    {
        var since = Stopwatch.StartNew();
        long active;
        while ((active = (await MetricAsync("proxygateway_streams_active", "none")).Values.Sum()) > 0)
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(30), $"{active} exchanges are still in flight");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal("TERM");
            try
            {
                await ExitAsync(TimeSpan.FromSeconds(10));
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
        _management.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Uri Address(string key) => new(_setup.Values["Gateway:" + key]!);

    private long Status(string field) =>
        long.Parse(File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal)).AsSpan(field.Length + 1).Trim(" \tkB"), CultureInfo.InvariantCulture);

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _log.Enqueue(line);
            if (ErrorLine().IsMatch(line) && _errors.Count < 200)
            {
                _errors.Enqueue(line);
            }

            if (_log.Count > 2000)
            {
                _log.TryDequeue(out _);
            }
        }
    }

    /// <summary>A log line's time, then its level.</summary>
    [GeneratedRegex(@"^\S*\s?(fail|crit): ")]
    private static partial Regex ErrorLine();

    [GeneratedRegex(@" ([0-9.e+-]+)(?: \d+)?$")]
    private static partial Regex SampleValue();
}
