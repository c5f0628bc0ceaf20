using Xunit;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>One client in one situation.</summary>
/// <param name="Key">Names the client in its prompts.</param>
/// <param name="Outcome"><c>whole</c>, <c>exception</c>, <c>SILENT</c>, <c>HUNG</c>, <c>onError</c> (no text, and a callback was told), or <c>no tools</c> where the client cannot call any.</param>
internal sealed record Judgement(string Client, string Key, Situation Situation, string Outcome, string Detail)
{
    public const string NoTools = "no tools";
    private const string Silent = "SILENT";

    /// <summary>As the docs say it.</summary>
    public string Shown => Outcome == Silent ? "**part, silently**" : Outcome;

    /// <summary>JSON that breaks off under a clean end, asked for as JSON, passes as it came.</summary>
    public bool IsHandsOff => Situation == Situation.CleanEnd && Outcome == "exception";

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
            .Where(j => j.Outcome != NoTools && !IsKept(j, owed?.Invoke(j) ?? j.Situation.Owed))
            .Select(j => $"{j.Client}, {j.Situation.Title}: {j.Outcome} {j.Detail}");
        Assert.True(!broken.Any(), string.Join(Environment.NewLine, broken));
        foreach (var judgement in all.Where(j => j.Outcome != NoTools))
        {
            var asked = agent.Asked(judgement.Key, judgement.Situation);
            var once = judgement.Situation == Situation.Healthy || judgement.Situation == Situation.Slow || judgement.IsHandsOff;
            Assert.True(once ? asked == 1 : asked > 1, $"{judgement.Client}, {judgement.Situation.Title}: the agent was asked {asked} times");
        }

        Assert.Empty(agent.Strangers);
    }

    // A stream of nothing but text cannot say that there was no answer. Its SDK tells it by a callback, and that before any text only.
    private static bool IsKept(Judgement judgement, Verdict owed) =>
        judgement.Outcome == owed.ToString().ToLowerInvariant() || (judgement.Outcome == "onError" && owed == Verdict.Exception && judgement.Situation.IsBeforeText);
}
