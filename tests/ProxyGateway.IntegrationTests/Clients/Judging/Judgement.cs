using Xunit;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>One client in one situation.</summary>
/// <param name="Key">Names the client in its prompts.</param>
/// <param name="Outcome"><c>whole</c>, <c>exception</c>, <c>SILENT</c>, <c>HUNG</c>, or <c>no tools</c> where the client cannot call any.</param>
internal sealed record Judgement(string Client, string Key, Situation Situation, string Outcome, string Detail)
{
    public const string NoTools = "no tools";
    private const string Silent = "SILENT";

    /// <summary>As the docs say it.</summary>
    public string Shown => Outcome == Silent ? "**part, silently**" : Outcome;

    /// <summary>
    /// Without a gateway a failure reaches the client: some get a part of the answer without a word. Else the judges would see nothing.
    /// </summary>
    public static void AssertNeeded(IReadOnlyCollection<Judgement> all)
    {
        Assert.All(all.Where(j => j.Situation == Situation.Healthy), j => Assert.Equal("whole", j.Outcome));
        Assert.DoesNotContain(all, j => j.Situation != Situation.Healthy && j.Outcome == "whole");
        Assert.Contains(all, j => j.Outcome == Silent);
    }

    /// <summary>Every client got what it is owed, and the agent did fail as the situation says.</summary>
    public static void AssertKept(IReadOnlyCollection<Judgement> all, JudgedAgent agent, Func<Judgement, Verdict>? owed = null)
    {
        var broken = all
            .Where(j => j.Outcome != NoTools && j.Outcome != (owed?.Invoke(j) ?? j.Situation.Owed).ToString().ToLowerInvariant())
            .Select(j => $"{j.Client}, {j.Situation.Title}: {j.Outcome} {j.Detail}");
        Assert.True(!broken.Any(), string.Join(Environment.NewLine, broken));
        foreach (var judgement in all.Where(j => j.Outcome != NoTools))
        {
            var asked = agent.Asked(judgement.Key, judgement.Situation);
            // Where a client is owed an exception although a second answer would serve, there is no second request.
            var expected = judgement.Situation == Situation.Healthy ? asked == 1 : asked >= (judgement.Situation == Situation.CleanEnd && judgement.Outcome == "exception" ? 1 : 2);
            Assert.True(expected, $"{judgement.Client}, {judgement.Situation.Title}: the agent was asked {asked} times");
        }

        Assert.Empty(agent.Strangers);
    }
}
