using System.Diagnostics;
using System.Text.Json.Nodes;
using ProxyGateway.IntegrationTests.Clients.Judging;
using Xunit;

namespace ProxyGateway.IntegrationTests.Clients;

/// <summary>
/// Coding agents as judges, with a made-up key, a home of their own and nothing but the loopback. The only tool that is ever called
/// is one that they do not have: they say so to the model, and that request shows the call they understood.
/// </summary>
public sealed class CodingAgentTests
{
    private const int AtOnce = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task EveryCodingAgent_GetsTheWholeAnswerOrFails()
    {
        Installed.Require(Path.Combine(CodingAgent.Folder, "node_modules"), "npm install --no-package-lock in tests/clients/agents");
        await using var agent = new JudgedAgent();
        await using var gateway = await JudgedGateway.StartAsync(agent);

        var judgements = await JudgeAsync(CodingAgent.All, Situation.All, agent, gateway.Http1);

        Judgement.AssertKept(judgements, agent, Owed);
        ClientTable.Compare("agents", judgements);

        // An agent that asks again by itself gets another run's answer, whole.
        static Verdict Owed(Judgement j) => j.Situation == Situation.Diverging && AsksAgain(j.Client) ? Verdict.Whole : j.Situation.Owed;
    }

    [Fact]
    public async Task EveryCodingAgent_BearsHeartbeats()
    {
        Installed.Require(Path.Combine(CodingAgent.Folder, "node_modules"), "npm install --no-package-lock in tests/clients/agents");
        await using var agent = new JudgedAgent();
        await using var gateway = await JudgedGateway.StartAsync(agent, impatient: true);

        var judgements = await JudgeAsync([.. CodingAgent.All.Where(c => !c.OwnRetries)], Situation.Waiting, agent, gateway.Http1);

        Judgement.AssertKept(judgements, agent);
        ClientTable.Compare("agents with heartbeats", judgements);
    }

    private static async Task<Judgement[]> JudgeAsync(IReadOnlyList<CodingAgent> clients, IReadOnlyList<Situation> situations, JudgedAgent agent, Uri gateway)
    {
        using var places = new SemaphoreSlim(AtOnce);
        return await Task.WhenAll(clients.SelectMany((client, i) => situations.Select(async situation =>
        {
            await places.WaitAsync(TestContext.Current.CancellationToken);
            try
            {
                var key = $"agent{i}";
                var (outcome, detail) = await AskAsync(client, key, situation, agent, gateway);
                return new Judgement(client.Name, key, situation, outcome, detail);
            }
            finally
            {
                places.Release();
            }
        })));
    }

    private static bool AsksAgain(string client) => CodingAgent.All.Single(c => c.Name == client).OwnRetries;

    private static async Task<(string Outcome, string Detail)> AskAsync(CodingAgent client, string key, Situation situation, JudgedAgent agent, Uri gateway)
    {
        var home = Directory.CreateTempSubdirectory("judged-agent-").FullName;
        try
        {
            var (output, error, code) = await RunAsync(client.Start(gateway, home, $"judge:{situation.Name}:{key} tell me something"));
            if (code is null)
            {
                return ("HUNG", error);
            }

            var text = client.ReadText(output);
            if (text is null || code != 0)
            {
                // Neither may an agent say that it failed and exit as if it had not.
                return (code != 0 ? "exception" : "SILENT", $"exit {code}: {error}{string.Join('\n', output.TakeLast(2).Select(o => o.ToJsonString()))}");
            }

            var call = situation == Situation.Tool ? agent.CallUnderstood(key, situation) : null;
            var expected = situation == Situation.Diverging ? JudgedAnswer.OtherText : JudgedAnswer.Text;
            var whole = text == expected && (situation != Situation.Tool || new JudgedReply("", call?.Name, call?.Arguments ?? "", true).IsWhole(situation, ""));
            return whole ? ("whole", "") : ("SILENT", $"{text} {call}");
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>Runs to the end; without an exit code where patience ended it.</summary>
    private static async Task<(IReadOnlyList<JsonNode> Output, string Error, int? Code)> RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        process.StandardInput.Close();
        try
        {
            var error = process.StandardError.ReadToEndAsync(patience.Token);
            var output = await process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return ([.. output.Split('\n').Where(l => l.StartsWith('{')).Select(l => JsonNode.Parse(l)!)], await error, process.ExitCode);
        }
        catch (OperationCanceledException)
        {
            return ([], "", null);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
    }
}
