using ProxyGateway.IntegrationTests.Clients.Judging;
using Xunit;

namespace ProxyGateway.IntegrationTests.Clients;

/// <summary>The .NET SDKs as judges, in this process: each must get the whole answer or raise an exception.</summary>
public sealed class NuGetClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task EveryNuGetClient_GetsTheWholeAnswerOrAnException()
    {
        await using var agent = new JudgedAgent();
        await using var gateway = await JudgedGateway.StartAsync(agent);

        var judgements = await JudgeAsync(gateway.Http1, Situation.All);

        Judgement.AssertKept(judgements, agent, Owed);
        ClientTable.Compare("nuget", judgements);
    }

    [Fact]
    public async Task EveryNuGetClient_BearsHeartbeats()
    {
        await using var agent = new JudgedAgent();
        await using var gateway = await JudgedGateway.StartAsync(agent, impatient: true);

        var judgements = await JudgeAsync(gateway.Http1, Situation.Waiting);

        Judgement.AssertKept(judgements, agent);
        ClientTable.Compare("nuget with heartbeats", judgements);
    }

    [Fact]
    public async Task WithoutTheGateway_SomeGetAPartSilently()
    {
        await using var agent = new JudgedAgent();

        var judgements = await JudgeAsync(agent.Upstream.Address, Situation.Unrepaired);

        Judgement.AssertNeeded(judgements);
        ClientTable.Compare("nuget without the gateway", judgements);
    }

    /// <summary>
    /// Where the request does not stream, nothing was delivered when the agent fails, so another run's answer is as good as the first;
    /// and JSON that breaks off under a clean end passes as it came.
    /// </summary>
    private static Verdict Owed(Judgement j) => (IsStreaming(j.Client), j.Situation.Name) switch
    {
        (false, "diverging") => Verdict.Whole,
        (false, "clean") => Verdict.Exception,
        _ => j.Situation.Owed,
    };

    private static bool IsStreaming(string client) => NuGetClients.All.Single(c => c.Name == client).Streaming;

    private static async Task<List<Judgement>> JudgeAsync(Uri server, IReadOnlyList<Situation> situations)
    {
        var judgements = await Task.WhenAll(NuGetClients.All.Select(async (client, i) =>
        {
            var key = $"nuget{i}";
            var all = new List<Judgement>();
            foreach (var situation in situations)
            {
                var (outcome, detail) = await AskAsync(client, key, situation, server);
                all.Add(new Judgement(client.Name, key, situation, outcome, detail));
            }

            return all;
        }));
        return [.. judgements.SelectMany(j => j)];
    }

    private static async Task<(string Outcome, string Detail)> AskAsync(NuGetClient client, string key, Situation situation, Uri server)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            var reply = await client.AskAsync(server, $"judge:{situation.Name}:{key} tell me something", patience.Token);
            var expected = situation.Name == Situation.Diverging.Name && !client.Streaming ? JudgedAnswer.OtherText : JudgedAnswer.Text;
            return reply.IsWhole(situation, expected) ? ("whole", "") : ("SILENT", reply.ToString());
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return ("HUNG", "");
        }
        catch (Exception e)
        {
            return ("exception", $"{e.GetType().Name}: {e.Message}");
        }
    }
}
