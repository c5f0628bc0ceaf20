using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using ProxyGateway.TestKit;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.IntegrationTests.Deploy;

/// <summary>
/// A real Prometheus with the files of deploy/prometheus, made impatient: it scrapes and evaluates twice a second, and an alert
/// fires as soon as its expression holds.
/// </summary>
internal sealed partial class RunningPrometheus : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _directory;
    private readonly HttpClient _client;

    private RunningPrometheus(Process process, DirectoryInfo directory, int port)
    {
        (_process, _directory) = (process, directory);
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    public static string Files => Path.Combine(SharedData.RepositoryRoot(AppContext.BaseDirectory)!, "deploy", "prometheus");

    /// <summary>Skips the test, visibly, where Prometheus is not installed; in CI that is a failure.</summary>
    public static async Task<RunningPrometheus> StartAsync(CancellationToken cancel, params string[] targets)
    {
        var directory = Directory.CreateTempSubdirectory("proxygateway-prometheus");
        var configuration = await File.ReadAllTextAsync(Path.Combine(Files, "prometheus.yml"), cancel);
        await File.WriteAllTextAsync(
            Path.Combine(directory.FullName, "prometheus.yml"),
            configuration.Replace("15s", "500ms", StringComparison.Ordinal).Replace("\"127.0.0.1:8081\"", string.Join(", ", targets.Select(t => $"\"{t}\"")), StringComparison.Ordinal),
            cancel);
        File.Copy(Path.Combine(Files, "rules.yml"), Path.Combine(directory.FullName, "rules.yml"));
        var alerts = await File.ReadAllTextAsync(Path.Combine(Files, "alerts.yml"), cancel);
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "alerts.yml"), For().Replace(alerts, "for: 0s"), cancel);
        var port = FreePort.Next();
        try
        {
            var process = Process.Start(new ProcessStartInfo("prometheus", [
                $"--config.file={directory.FullName}/prometheus.yml", $"--storage.tsdb.path={directory.FullName}/data", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
            {
                WorkingDirectory = directory.FullName,
            })!;
            var running = new RunningPrometheus(process, directory, port);
            await running.EventuallyAsync(running.IsReadyAsync, "Prometheus did not start", cancel);
            return running;
        }
        catch (Win32Exception)
        {
            directory.Delete(recursive: true);
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "prometheus is not installed");
            throw;
        }
    }

    /// <summary>The alerts that fire.</summary>
    public async Task<IReadOnlySet<string>> FiringAsync(CancellationToken cancel)
    {
        var data = await GetAsync("/api/v1/alerts", cancel);
        return data.GetProperty("data").GetProperty("alerts").EnumerateArray()
            .Where(a => a.GetProperty("state").GetString() == "firing")
            .Select(a => a.GetProperty("labels").GetProperty("alertname").GetString()!)
            .ToHashSet();
    }

    /// <summary>How many series an expression gives now. Throws with Prometheus' own words where it cannot be read.</summary>
    public async Task<int> CountAsync(string expression, CancellationToken cancel)
    {
        var answer = await GetAsync($"/api/v1/query?query={Uri.EscapeDataString(expression)}", cancel);
        Assert.True(answer.GetProperty("status").GetString() == "success", $"{expression}: {answer}");
        return answer.GetProperty("data").GetProperty("result").GetArrayLength();
    }

    public async Task EventuallyAsync(Func<CancellationToken, Task<bool>> condition, string otherwise, CancellationToken cancel)
    {
        var deadline = DateTime.UtcNow + TimeSpan.FromSeconds(40);
        while (!await condition(cancel))
        {
            Assert.True(DateTime.UtcNow < deadline && !_process.HasExited, otherwise);
            await Task.Delay(200, cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancel)
    {
        try
        {
            using var response = await _client.GetAsync("/-/ready", cancel);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken cancel)
    {
        using var response = await _client.GetAsync(path, cancel);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync(cancel));
    }

    [GeneratedRegex(@"for: \d+m")]
    private static partial Regex For();
}
