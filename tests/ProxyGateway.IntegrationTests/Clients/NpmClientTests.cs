using System.Diagnostics;
using System.Text.Json;
using ProxyGateway.IntegrationTests.Clients.Judging;
using Xunit;

namespace ProxyGateway.IntegrationTests.Clients;

/// <summary>
/// Real SDKs from npm ask through the gateway while the agent fails. Each must get the whole answer or raise an exception; a
/// silent part of an answer is the worst there is.
/// </summary>
public sealed class NpmClientTests
{
    private const int Clients = 19;
    private static readonly string s_folder = Path.Combine(ClientTable.RepositoryRoot, "tests", "clients");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task EveryNpmClient_GetsTheWholeAnswerOrAnException()
    {
        Installed.Require(Path.Combine(s_folder, "node_modules"), "npm install --no-package-lock in tests/clients");
        await using var agent = new JudgedAgent();
        await using var gateway = await JudgedGateway.StartAsync(agent);

        var judgements = await JudgeAsync(gateway.Http1, Situation.All);

        Assert.Equal(Clients * Situation.All.Count, judgements.Count);
        Judgement.AssertKept(judgements, agent);
        ClientTable.Compare("npm", judgements);
    }

    [Fact]
    public async Task EveryNpmClient_BearsHeartbeats()
    {
        Installed.Require(Path.Combine(s_folder, "node_modules"), "npm install --no-package-lock in tests/clients");
        await using var agent = new JudgedAgent();
        await using var gateway = await JudgedGateway.StartAsync(agent, impatient: true);

        var judgements = await JudgeAsync(gateway.Http1, Situation.Waiting);

        Assert.Equal(Clients * Situation.Waiting.Count, judgements.Count);
        Judgement.AssertKept(judgements, agent);
        ClientTable.Compare("npm with heartbeats", judgements);
    }

    [Fact]
    public async Task WithoutTheGateway_SomeGetAPartSilently()
    {
        Installed.Require(Path.Combine(s_folder, "node_modules"), "npm install --no-package-lock in tests/clients");
        await using var agent = new JudgedAgent();

        var judgements = await JudgeAsync(agent.Upstream.Address, Situation.Unrepaired);

        Assert.Equal(Clients * Situation.Unrepaired.Count, judgements.Count);
        Judgement.AssertNeeded(judgements);
        ClientTable.Compare("npm without the gateway", judgements);
    }

    private static async Task<List<Judgement>> JudgeAsync(Uri server, IReadOnlyList<Situation> situations)
    {
        using var node = Process.Start(new ProcessStartInfo("node", "judge.mjs")
        {
            WorkingDirectory = s_folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["BASE_URL"] = server.GetLeftPart(UriPartial.Authority),
                ["SITUATIONS"] = string.Join(',', situations.Select(s => s.Name)),
                ["TEXT"] = JudgedAnswer.Text,
                ["CALL_ARGS"] = JudgedAnswer.Arguments,
            },
        })!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        var judgements = new List<(int Order, Judgement Judgement)>();
        try
        {
            var errors = node.StandardError.ReadToEndAsync(patience.Token);
            while (await node.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                if (line.StartsWith('{'))
                {
                    judgements.Add(Read(line, situations));
                }
            }

            await node.WaitForExitAsync(patience.Token);
            Assert.True(node.ExitCode == 0, await errors);
        }
        finally
        {
            if (!node.HasExited)
            {
                node.Kill(entireProcessTree: true);
            }
        }

        return [.. judgements.OrderBy(j => j.Order).Select(j => j.Judgement)];
    }

    private static (int Order, Judgement Judgement) Read(string line, IReadOnlyList<Situation> situations)
    {
        using var json = JsonDocument.Parse(line);
        string Get(string name) => json.RootElement.GetProperty(name).GetString()!;
        var situation = situations.Single(s => s.Name == Get("situation"));
        return (json.RootElement.GetProperty("order").GetInt32(), new Judgement(Get("client"), Get("key"), situation, Get("outcome"), Get("detail")));
    }
}
