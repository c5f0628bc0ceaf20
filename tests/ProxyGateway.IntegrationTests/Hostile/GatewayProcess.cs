using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
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
    private readonly HttpClient _management;

    private GatewayProcess(Process process, string folder, Uri http1, Uri http2, Uri management)
    {
        (_process, _folder, Http1, Http2) = (process, folder, http1, http2);
        _management = new HttpClient { BaseAddress = management, Timeout = TimeSpan.FromSeconds(5) };
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

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

    /// <summary>Starts it and waits until it is ready. <paramref name="limit"/> is a shell command run in the same process before it, such as <c>ulimit -n 512</c>.</summary>
    public static async Task<GatewayProcess> StartAsync(Action<GatewaySetup> configure, string? limit = null, params (string Name, string Value)[] environment)
    {
        int[] ports = [FreePort.Next(), FreePort.Next(), FreePort.Next()];
        var setup = new GatewaySetup().Chat();
        setup["Gateway:Listen"] = $"http://127.0.0.1:{ports[0]}";
        setup["Gateway:ListenHttp2"] = $"http://127.0.0.1:{ports[1]}";
        setup["Gateway:ManagementListen"] = $"http://127.0.0.1:{ports[2]}";
        configure(setup);
        var folder = Directory.CreateTempSubdirectory("gateway-").FullName;
        var file = Path.Combine(folder, "appsettings.json");
        await File.WriteAllTextAsync(file, ToJson(setup.Values).ToJsonString());
        var binary = Environment.GetEnvironmentVariable("PROXYGATEWAY_BINARY") ?? Path.Combine(AppContext.BaseDirectory, "proxygateway.dll");
        var command = binary.EndsWith(".dll", StringComparison.Ordinal) ? $"dotnet '{binary}'" : $"'{binary}'";
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"{(limit is null ? "" : limit + " && ")}exec {command} run --config '{file}'"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var gateway = new GatewayProcess(Process.Start(start)!, folder, new($"http://127.0.0.1:{ports[0]}"), new($"http://127.0.0.1:{ports[1]}"), new($"http://127.0.0.1:{ports[2]}"));
        var since = Stopwatch.StartNew();
        while (!await gateway.IsReadyAsync())
        {
            Assert.False(gateway.HasExited, gateway.Log);
            Assert.True(since.Elapsed < StartLimit, gateway.Log);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return gateway;
    }

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await _management.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
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
            using (Process.Start("kill", ["-TERM", $"{_process.Id}"]))
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
                try
                {
                    await _process.WaitForExitAsync(patience.Token);
                }
                catch (OperationCanceledException)
                {
                    _process.Kill(entireProcessTree: true);
                }
            }
        }

        _process.Dispose();
        _management.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static JsonObject ToJson(IReadOnlyDictionary<string, string?> values)
    {
        var root = new JsonObject();
        foreach (var (path, value) in values.Where(v => v.Value is not null).OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            Set(root, path.Split(':'), value!);
        }

        return root;
    }

    private static void Set(JsonNode node, ReadOnlySpan<string> path, string value)
    {
        JsonNode Leaf(bool isArray) => isArray ? new JsonArray() : new JsonObject();
        if (node is JsonArray array)
        {
            var index = int.Parse(path[0], CultureInfo.InvariantCulture);
            if (array.Count == index)
            {
                array.Add(path.Length == 1 ? JsonValue.Create(value) : Leaf(char.IsAsciiDigit(path[1][0])));
            }

            if (path.Length > 1)
            {
                Set(array[index]!, path[1..], value);
            }

            return;
        }

        if (path.Length == 1)
        {
            node[path[0]] = value;
            return;
        }

        node[path[0]] ??= Leaf(char.IsAsciiDigit(path[1][0]));
        Set(node[path[0]]!, path[1..], value);
    }

    private long Status(string field) =>
        long.Parse(File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal)).AsSpan(field.Length + 1).Trim(" \tkB"), CultureInfo.InvariantCulture);

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _log.Enqueue(line);
            if (_log.Count > 2000)
            {
                _log.TryDequeue(out _);
            }
        }
    }

    [GeneratedRegex(@" ([0-9.e+-]+)(?: \d+)?$")]
    private static partial Regex SampleValue();
}
