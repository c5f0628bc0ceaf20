using ProxyGateway.Demo;
using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.Tests.Demo;

public sealed class DemoResultTests
{
    private static readonly DemoCase s_case = new("demo-reset-2", "dying", DemoPromise.Complete);
    private static readonly ClientAnswer s_whole = new() { Status = 200, Text = "one two three" };

    [Fact]
    public void ReplayBySameAgent_RecoveredByReplay()
    {
        var result = Complete(Call("dying", true, DemoCallOutcome.Reset, 2), Call("dying", false, DemoCallOutcome.Answered));

        Assert.True(result is { Kept: true, Recovered: true });
        Assert.Equal(["complete: 3 tokens", "recovered by replay"], result.ClientLines);
        Assert.Equal(["dying: reset after 2 tokens", "dying: answered the replay"], result.AgentLines);
    }

    [Fact]
    public void LastAnswerByAnotherAgent_RecoveredByFallback()
    {
        var result = Complete(
            Call("dying", true, DemoCallOutcome.Reset, 2), Call("dying", false, DemoCallOutcome.Reset), Call("good", false, DemoCallOutcome.Answered));

        Assert.Equal("recovered by fallback", result.ClientLines[1]);
        Assert.Equal("dying: died in the replay", result.AgentLines[1]);
    }

    [Fact]
    public void NobodyFailed_UntouchedAndThePromiseAboutAFailureIsNotKept()
    {
        var result = Complete(Call("dying", true, DemoCallOutcome.Answered, 3));

        Assert.True(result is { Kept: false, Recovered: false });
        Assert.Equal("untouched", result.ClientLines[1]);
    }

    [Fact]
    public void OnlyAnotherAgentAsked_IsNotCalledRecovered()
    {
        var result = Complete(Call("good", true, DemoCallOutcome.Answered, 3));

        Assert.False(result.Recovered);
        Assert.Equal("answered by good alone", result.ClientLines[1]);
    }

    [Fact]
    public void Terminated_SaysAfterHowMuchAndWhy()
    {
        var promised = s_case with { Promise = DemoPromise.Terminated };
        var result = new DemoResult(
            promised,
            new ClientAnswer { Status = 200, Text = "one two", Error = "divergence" },
            new DemoVerdict(DemoEnding.Terminated, []),
            [Call("dying", true, DemoCallOutcome.Reset, 2), Call("dying", false, DemoCallOutcome.Answered, kind: DemoBehaviorKind.Diverge)]);

        Assert.True(result is { Kept: true, Recovered: false });
        Assert.Equal(["terminated after 2 tokens", "error event: divergence"], result.ClientLines);
        Assert.Equal("dying: replayed another text", result.AgentLines[1]);
    }

    private static DemoResult Complete(params DemoCall[] calls) => new(s_case, s_whole, new DemoVerdict(DemoEnding.Complete, []), calls);

    private static DemoCall Call(string agent, bool streaming, DemoCallOutcome outcome, int sent = 0, DemoBehaviorKind kind = DemoBehaviorKind.Reset) =>
        new(agent, streaming, "m", new DemoBehavior(kind)) { Outcome = outcome, ContentEventsSent = sent };
}
