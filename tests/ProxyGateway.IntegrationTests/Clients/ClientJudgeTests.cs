using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.DemoAgents;
using ProxyGateway.Hosting;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.IntegrationTests.Clients;

/// <summary>
/// Real SDKs ask through the gateway while agents fail. Each must get the whole answer or raise an exception; a silent part of
/// an answer is the worst there is. The result is the table in docs/clients.md: <c>UPDATE_GENERATED=1</c> writes it anew.
/// </summary>
public sealed class ClientJudgeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static readonly string[] MustBeWhole =
        ["healthy", "fault before content", "fault after content, equal replay", "clean end in mid-answer, equal replay", "tool call in flight"];

    [Fact]
    public async Task EveryClient_GetsTheWholeAnswerOrAnException()
    {
        var root = SharedData.RepositoryRoot(AppContext.BaseDirectory)!;
        var folder = Path.Combine(root, "tests", "clients");
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "the clients are not installed: npm install --no-package-lock in tests/clients");
            Assert.Fail("the clients are not installed: npm install --no-package-lock in tests/clients");
        }

        var results = await JudgeAsync(folder);
        Assert.True(results.Count >= 56, $"{results.Count} results");
        Assert.DoesNotContain(results, r => r.Outcome is "SILENT" or "HUNG");
        Assert.All(results.Where(r => MustBeWhole.Contains(r.Situation)), r => Assert.True(r.Outcome == "whole", $"{r.Client}, {r.Situation}: {r.Outcome} {r.Detail}"));
        Assert.All(results.Where(r => !MustBeWhole.Contains(r.Situation)), r => Assert.True(r.Outcome == "exception", $"{r.Client}, {r.Situation}: {r.Outcome} {r.Detail}"));
        Compare(Path.Combine(root, "docs", "clients.md"), Table(results));
    }

    private static async Task<List<Result>> JudgeAsync(string folder)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await DemoAgent.StartAsync(new DemoAgentOptions { Name = "agent", TokenDelay = TimeSpan.FromMilliseconds(1) }, stop);
        await using var app = GatewayHost.Build(
            c => c.AddInMemoryCollection(Configuration(agent.Address)),
            b => b.Logging.SetMinimumLevel(LogLevel.None));
        await app.StartAsync(stop);
        var proxy = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

        using var node = Process.Start(new ProcessStartInfo("node", "judge.mjs")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["BASE_URL"] = proxy, ["REFERENCE_URL"] = agent.Address.GetLeftPart(UriPartial.Authority) },
        })!;
        var errors = node.StandardError.ReadToEndAsync(stop);
        var results = new List<Result>();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            while (await node.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                if (line.StartsWith('{'))
                {
                    using var json = JsonDocument.Parse(line);
                    string Get(string name) => json.RootElement.GetProperty(name).GetString()!;
                    results.Add(new Result(Get("client"), Get("situation"), Get("outcome"), Get("detail")));
                }
            }

            await node.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!node.HasExited)
            {
                node.Kill(entireProcessTree: true);
            }
        }

        Assert.True(node.ExitCode == 0, await errors);
        return results;
    }

    private static Dictionary<string, string?> Configuration(Uri agent)
    {
        var configuration = new Dictionary<string, string?>
        {
            ["Gateway:Listen"] = "http://127.0.0.1:0",
            ["Gateway:ManagementListen"] = "http://127.0.0.1:0",
            ["ReverseProxy:Clusters:agent:Destinations:a:Address"] = agent.ToString(),
            ["ReverseProxy:Clusters:agent:CircuitBreaker:Enabled"] = "false",
            // Port 9 of the loopback: nobody listens there.
            ["ReverseProxy:Clusters:dead:Destinations:a:Address"] = "http://127.0.0.1:9",
            ["ReverseProxy:Clusters:dead:CircuitBreaker:Enabled"] = "false",
            // Every other exchange here fails on purpose.
            ["ReverseProxy:Clusters:agent:Retry:Budget"] = "1",
        };
        foreach (var (id, path, format) in new[] { ("chat", "/v1/chat/completions", "openai-chat"), ("messages", "/v1/messages", "anthropic-messages") })
        {
            var route = $"ReverseProxy:Routes:{id}:";
            configuration[route + "ClusterId"] = "agent";
            configuration[route + "Match:Path"] = path;
            configuration[route + "StreamingFallback:Format"] = format;
            configuration[route + "StreamingFallback:Models:dead"] = "dead";
        }

        return configuration;
    }

    private static string Table(List<Result> results)
    {
        var situations = results.Select(r => r.Situation).Distinct().ToList();
        var text = new StringBuilder("# What real clients get\n\n");
        text.Append("Written by a test run (`ClientJudgeTests`, versions in `tests/clients/package.json`), each client with its own retries switched off. ");
        text.Append("*whole* is the agent's answer to the letter; *exception* is an error that the client raises to its caller. A silent part of an answer fails the test.\n\n");
        text.Append("| client | ").AppendJoin(" | ", situations).Append(" |\n|---|").Append(string.Concat(situations.Select(_ => "---|"))).Append('\n');
        foreach (var client in results.GroupBy(r => r.Client))
        {
            text.Append("| ").Append(client.Key).Append(" | ").AppendJoin(" | ", situations.Select(s => client.Single(r => r.Situation == s).Outcome)).Append(" |\n");
        }

        return text.ToString();
    }

    private static void Compare(string file, string expected)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_GENERATED") == "1")
        {
            File.WriteAllText(file, expected);
        }

        Assert.Equal(expected, File.ReadAllText(file));
    }

    private sealed record Result(string Client, string Situation, string Outcome, string Detail);
}
