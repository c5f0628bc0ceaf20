using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Endurance;

/// <summary>
/// A gateway of its own process under a moderate load of everything at once, for a long time: nothing piles up, nobody's stream
/// is broken silently. <c>PROXYGATEWAY_SOAK_MINUTES</c> says how long, <c>PROXYGATEWAY_SOAK_RATE</c> how many requests a second.
/// </summary>
public sealed class SoakTests
{
    /// <summary>Code is compiled, pools are filled, the heap finds its size.</summary>
    private const double WarmUpMinutes = 5;

    /// <summary>An exchange is judged this long after its end; by then its upstreams know theirs.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    private static readonly double Minutes = Number("PROXYGATEWAY_SOAK_MINUTES", Figures.IsNightly ? 30 : 0.1);
    private static readonly double Rate = Number("PROXYGATEWAY_SOAK_RATE", 10);

    [Fact]
    public async Task MixedLoadWithFaultsAndReloads_NothingPilesUp()
    {
        var (primary, spare) = (ScriptedUpstream.Start(), ScriptedUpstream.Start());
        var http2 = await ScriptedHttp2Upstream.StartAsync();
        UpstreamBase[] upstreams = [primary, http2, spare];
        try
        {
            foreach (var upstream in upstreams)
            {
                upstream.Choose = asked => new SoakExchange(SoakExchange.NumberOf(asked)).Answer(asked, upstream == spare);
            }

            using var samples = new TemporaryFile();
            await using var gateway = await GatewayProcess.StartAsync(s => Configure(s, primary, http2, spare), new GatewayLaunch { Environment = Inside(samples) });
            await RunAsync(gateway, [("primary", primary), ("http2", http2), ("spare", spare)], samples.Path);
        }
        finally
        {
            await primary.DisposeAsync();
            await spare.DisposeAsync();
            await http2.DisposeAsync();
        }
    }

    private static async Task RunAsync(GatewayProcess gateway, (string Cluster, UpstreamBase Upstream)[] upstreams, string samples)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var (since, cpu) = (Stopwatch.StartNew(), gateway.CpuTime);
        var running = new ConcurrentDictionary<int, Task>();
        var ended = new ConcurrentQueue<(int Number, HttpResult Result, TimeSpan At)>();
        var violations = new List<string>();
        var series = new SoakSeries();
        Task[] beside = [DisturbAsync(gateway, stop.Token), ControlAsync(gateway, stop.Token), series.WatchAsync(gateway, samples, since, TimeSpan.FromSeconds(Minutes < 1 ? 1 : 10), stop.Token)];
        var sent = 0;
        for (; since.Elapsed.TotalMinutes < Minutes; sent++)
        {
            var n = sent;
            running[n] = Task.Run(
                async () =>
                {
                    ended.Enqueue((n, await new SoakExchange(n).SendAsync(gateway.Http1, gateway.Http2, TestContext.Current.CancellationToken), since.Elapsed));
                    running.TryRemove(n, out _);
                },
                TestContext.Current.CancellationToken);
            violations.AddRange(Judge(ended, upstreams, since.Elapsed - Settling));
            var due = TimeSpan.FromSeconds((n + 1) / Rate) - since.Elapsed;
            await Task.Delay(due > TimeSpan.Zero ? due : TimeSpan.Zero, TestContext.Current.CancellationToken);
        }

        await Task.WhenAll(running.Values);
        var load = (gateway.CpuTime - cpu) / since.Elapsed;
        await stop.CancelAsync();
        await Task.WhenAll(beside);
        await gateway.AssertIdleAsync();
        violations.AddRange(Judge(ended, upstreams, since.Elapsed));
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        var configurations = (await gateway.MetricAsync("proxygateway_config_version", "none")).Values.Sum();
        var unobserved = File.Exists(samples) ? (await File.ReadAllLinesAsync(samples, TestContext.Current.CancellationToken)).Where(l => l.StartsWith('!')).ToList() : [];
        // That an edit was refused is an error; every fifth is meant to be.
        var errors = gateway.Errors.Where(e => !e.Contains("configuration rejected", StringComparison.Ordinal)).ToList();
        Figures.Write("soak", $"{since.Elapsed.TotalMinutes:0.0} min, {sent} exchanges of {SoakFormat.All.Count} formats, {load:P0} of a core; violations {violations.Count}, sum of outcomes {outcomes.Values.Sum()} "
            + $"({string.Join(", ", outcomes.Where(o => o.Value > 0).OrderByDescending(o => o.Value).Select(o => $"{o.Key} {o.Value}"))}), configurations {configurations}, unobserved exceptions {unobserved.Count}, errors logged {errors.Count}");
        var drifts = series.Report(Minutes > 2 * WarmUpMinutes ? WarmUpMinutes : Minutes / 2);

        Assert.True(violations.Count == 0, string.Join('\n', violations.Take(20)));
        Assert.Equal(sent, outcomes.Values.Sum());
        Assert.True(unobserved.Count == 0, string.Join('\n', unobserved.Take(5)));
        Assert.True(errors.Count == 0, string.Join('\n', errors.Take(10)));
        if (Minutes > 2 * WarmUpMinutes)
        {
            series.AssertFlat(drifts, Minutes - WarmUpMinutes);
        }
    }

    /// <summary>Judges exchanges that ended before <paramref name="before"/>, and forgets them.</summary>
    private static List<string> Judge(ConcurrentQueue<(int Number, HttpResult Result, TimeSpan At)> ended, (string Cluster, UpstreamBase Upstream)[] upstreams, TimeSpan before)
    {
        var results = new Dictionary<int, HttpResult>();
        while (ended.TryPeek(out var next) && next.At < before && ended.TryDequeue(out next))
        {
            results[next.Number] = next.Result;
        }

        if (results.Count == 0)
        {
            return [];
        }

        var attempts = upstreams.SelectMany(u => u.Upstream.Take(e => results.ContainsKey(SoakExchange.NumberOf(e))).Select(e => (u.Cluster, Exchange: e)))
            .OrderBy(x => x.Exchange.At).ToLookup(x => SoakExchange.NumberOf(x.Exchange));
        return [.. results.SelectMany(r => new SoakExchange(r.Key) is var exchange
            ? exchange.Check(r.Value, [.. attempts[r.Key].Select(a => exchange.Format.ToAttempt(a.Exchange, a.Cluster, a.Cluster == "spare"))])
            : [])];
    }

    /// <summary>A new configuration every five seconds, each fifth one invalid.</summary>
    private static async Task DisturbAsync(GatewayProcess gateway, CancellationToken stop)
    {
        for (var i = 1; await WaitAsync(TimeSpan.FromSeconds(Minutes < 1 ? 1 : 5), stop); i++)
        {
            if (i % 5 == 0)
            {
                await gateway.SpoilAsync("{ \"ReverseProxy\": ");
                continue;
            }

            await gateway.RewriteAsync(s =>
            {
                s["ReverseProxy:Clusters:primary:CircuitBreaker:FailureThreshold"] = $"{4 + (i % 5)}";
                s["ReverseProxy:Clusters:primary:Retry:Budget"] = $"0.{2 + (i % 5)}";
                // A new connect clock makes new connections: the old pool must go.
                s["ReverseProxy:Clusters:spare:Timeouts:Connect"] = $"00:00:0{1 + (i / 10 % 3)}";
                if (i % 2 == 0)
                {
                    s.Cluster("extra", new Uri("http://127.0.0.1:9/"));
                }
                else
                {
                    s.Remove("extra");
                }
            });
        }
    }

    /// <summary>Somebody isolates a cluster, or its streaming circuit, for a moment, every twenty seconds.</summary>
    private static async Task ControlAsync(GatewayProcess gateway, CancellationToken stop)
    {
        for (var i = 0; await WaitAsync(TimeSpan.FromSeconds(Minutes < 1 ? 2 : 18), stop); i++)
        {
            var circuit = i % 2 == 0 ? "" : "?circuit=streaming";
            Assert.Equal(System.Net.HttpStatusCode.OK, await gateway.PostAsync($"/api/clusters/primary/circuit/isolate{circuit}"));
            await WaitAsync(TimeSpan.FromSeconds(Minutes < 1 ? 0.5 : 2), stop);
            Assert.Equal(System.Net.HttpStatusCode.OK, await gateway.PostAsync($"/api/clusters/primary/circuit/close{circuit}"));
        }
    }

    private static async Task<bool> WaitAsync(TimeSpan time, CancellationToken stop)
    {
        await Task.Delay(time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !stop.IsCancellationRequested;
    }

    private static void Configure(GatewaySetup setup, UpstreamBase primary, UpstreamBase http2, UpstreamBase spare)
    {
        (string, string)[] clocks = [("Timeouts:Connect", "00:00:01"), ("Timeouts:ResponseHeaders", "00:00:02"), ("Timeouts:FirstContent", "00:00:02"), ("Timeouts:Idle", "00:00:02"), ("Timeouts:Replay", "00:00:02")];
        setup.Cluster("primary", primary, clocks).Cluster("http2", http2, clocks).Cluster("spare", spare, clocks).Fallback("primary", "spare").Fallback("http2", "spare");
        foreach (var (format, i) in SoakFormat.All.Select((f, i) => (f, i)))
        {
            var route = format.Name == "openai-chat" ? "ReverseProxy:Routes:chat:" : $"ReverseProxy:Routes:{format.Name}:";
            setup[route + "ClusterId"] = i % 3 == 1 ? "http2" : "primary";
            setup[route + "Match:Path"] = format.Path;
            setup[route + "StreamingFallback:Format"] = format.Name;
        }
    }

    private static (string Name, string Value)[] Inside(TemporaryFile samples) =>
    [
        ("DOTNET_STARTUP_HOOKS", Path.Combine(AppContext.BaseDirectory, "ProxyGateway.TestKit.dll")),
        ("PROXYGATEWAY_SAMPLES", samples.Path),
        ("PROXYGATEWAY_SAMPLE_MILLISECONDS", Minutes < 1 ? "1000" : "60000"),
    ];

    private static double Number(string name, double otherwise) =>
        double.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private sealed class TemporaryFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"gateway-samples-{Guid.NewGuid():N}");

        public void Dispose() => File.Delete(Path);
    }
}
