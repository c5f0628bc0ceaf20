using System.Text.Json;
using ProxyGateway.IntegrationTests.Telemetry;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.IntegrationTests.Deploy;

/// <summary>A real Prometheus looks at a gateway while its agents fail.</summary>
[Collection(nameof(AloneCollection))]
public sealed class PrometheusTests
{
    [Fact]
    public async Task AgentsFail_AlertsFireAndEveryExpressionOfTheDashboardHasAnAnswer()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var gateway = await FileGateway.StartAsync(cancel, ("ReverseProxy:Clusters:broken:CircuitBreaker:FailureThreshold", "1"));
        // Nothing listens on port 1.
        await using var prometheus = await RunningPrometheus.StartAsync(cancel, gateway.Management.Authority, "127.0.0.1:1");
        await prometheus.EventuallyAsync(async c => await prometheus.CountAsync("proxygateway_exchanges_total offset 1s", c) > 0, "the gateway was not scraped", cancel);
        Assert.Subset(new HashSet<string> { "ProxyGatewayDown" }, (await prometheus.FiringAsync(cancel)).ToHashSet());

        await gateway.SufferAsync(2, cancel);
        using (var client = new HttpClient())
        {
            using var answer = await client.PostAsync(new Uri(gateway.Proxy, "/v1/chat/completions"), new ByteArrayContent(new Chat { Model = "demo-good" }.Request(stream: false)), cancel);
            answer.EnsureSuccessStatusCode();
        }

        await gateway.BreakFileAsync(cancel);

        HashSet<string> expected = ["ProxyGatewayDown", "ProxyGatewayCircuitOpen", "ProxyGatewayStreamsTerminated", "ProxyGatewayFallbackRateHigh", "ProxyGatewayReloadFailed"];
        IReadOnlySet<string> firing = new HashSet<string>();
        await prometheus.EventuallyAsync(async c => expected.IsSubsetOf(firing = await prometheus.FiringAsync(c)), "these alerts fired only", cancel);
        Assert.Subset(expected, firing.ToHashSet());

        foreach (var (panel, expression) in DashboardExpressions())
        {
            Assert.True(await prometheus.CountAsync(expression, cancel) > 0, $"{panel}: nothing for {expression}");
        }
    }

    [Fact]
    public void EveryAlert_HasItsRunbook()
    {
        var lines = File.ReadAllLines(Path.Combine(RunningPrometheus.Files, "alerts.yml")).Select(l => l.Trim()).ToList();
        var alerts = lines.Where(l => l.StartsWith("- alert: ", StringComparison.Ordinal)).Select(l => l["- alert: ".Length..]).ToList();
        Assert.Equal(
            [
                "ProxyGatewayDown", "ProxyGatewayCircuitOpen", "ProxyGatewayCircuitFlapping", "ProxyGatewayStreamsTerminated", "ProxyGatewayFallbackRateHigh",
                "ProxyGatewayNoHealthyDestination", "ProxyGatewaySlowFirstContent", "ProxyGatewayReloadFailed", "ProxyGatewayBackplaneDown", "ProxyGatewayReplayMemoryHigh",
            ],
            alerts);
        Assert.Equal(alerts.Select(a => $"runbook_url: docs/runbooks/{a}.md"), lines.Where(l => l.StartsWith("runbook_url:", StringComparison.Ordinal)));

        var root = SharedData.RepositoryRoot(AppContext.BaseDirectory)!;
        Assert.SkipUnless(Directory.Exists(Path.Combine(root, "docs", "runbooks")), "the runbooks are not here");
        Assert.All(alerts, a => Assert.True(File.Exists(Path.Combine(root, "docs", "runbooks", a + ".md")), a));
    }

    [Fact]
    public void Dashboard_NamesOnlyMetricsThatAreThere()
    {
        var known = ProxyGateway.StreamingFallback.Telemetry.MetricCatalogue.All.Concat(ProxyGateway.Configuration.Reload.ConfigurationMetrics.All).Concat(ProxyGateway.Backplane.BackplaneMetrics.All).Select(m => m.ExportedName).ToHashSet();
        var used = DashboardExpressions().SelectMany(e => System.Text.RegularExpressions.Regex.Matches(e.Expression, @"\b(proxygateway|gen_ai)_\w+?(?=(_bucket|_sum|_count)?[\s{\)\[])")).Select(m => m.Value)
            .Where(n => n != "gen_ai_token_type").ToHashSet();
        Assert.Subset(known, used);
        Assert.True(used.Count > 20, $"only {used.Count} metrics are on the dashboard");
    }

    private static IEnumerable<(string Panel, string Expression)> DashboardExpressions()
    {
        var file = Path.Combine(SharedData.RepositoryRoot(AppContext.BaseDirectory)!, "deploy", "grafana", "dashboards", "proxygateway.json");
        using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(p => p.TryGetProperty("targets", out _))
            .SelectMany(p => p.GetProperty("targets").EnumerateArray().Select(t => (
                p.GetProperty("title").GetString()!,
                t.GetProperty("expr").GetString()!
                    .Replace("$__rate_interval", "1m", StringComparison.Ordinal)
                    .Replace("$instance", ".*", StringComparison.Ordinal)
                    .Replace("$route", ".*", StringComparison.Ordinal)
                    .Replace("$cluster", ".*", StringComparison.Ordinal))))];
    }
}
