using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Recovery;
using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.Recovery;

public sealed class RecoveryPolicyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly RecoverySituation Reset = new()
    {
        Fault = new Fault(FaultKind.EndedEarly, FaultPhase.Content),
        IsFirstAttempt = true,
        IsClientError = false,
        Mode = AttemptMode.Streaming,
        ClientStreaming = true,
        Delivered = DeliveredKind.Text,
        CanSplice = true,
        Enabled = true,
        Replay = ReplayPolicy.Safe,
        OnMidStreamFailure = MidStreamFailureAction.Splice,
        AttemptsLeft = 2,
        AttemptsHere = 1,
        DeliveredHere = true,
        IsFallbackCluster = false,
        AnotherClusterLeft = true,
        BudgetLeft = true,
        TimeLeft = TimeSpan.FromMinutes(1),
        MaxRetryAfter = TimeSpan.FromSeconds(5),
        Backoff = TimeSpan.FromMilliseconds(250),
    };

    private static readonly RecoverySituation BeforeContent = Reset with { Delivered = DeliveredKind.Nothing, DeliveredHere = false };

    private static readonly RecoverySituation Status503 = BeforeContent with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 503) };

    private static readonly RecoverySituation Status400 = BeforeContent with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 400), IsClientError = true };

    private static readonly Dictionary<string, (RecoverySituation Situation, string Expected)> Table = new()
    {
        ["cut in mid-stream"] = (Reset, "SameCluster NonStreaming"),
        ["cut in a tool call"] = (Reset with { Delivered = DeliveredKind.ToolCallInFlight }, "SameCluster NonStreaming"),
        ["cut after a whole tool call"] = (Reset with { Delivered = DeliveredKind.ToolCallComplete }, "SameCluster NonStreaming"),
        ["cut before content"] = (BeforeContent, "SameCluster NonStreaming"),
        ["the replay failed too"] = (Reset with { AttemptsHere = 2, Mode = AttemptMode.NonStreaming }, "NextCluster NonStreaming"),
        ["the replay before content failed too"] = (BeforeContent with { AttemptsHere = 2, Mode = AttemptMode.NonStreaming }, "NextCluster Streaming"),
        ["nobody is left"] = (Reset with { AttemptsHere = 2, AnotherClusterLeft = false }, "GiveUp"),
        ["a fallback that never answered"] = (BeforeContent with { IsFallbackCluster = true, AnotherClusterLeft = false }, "GiveUp"),
        ["a fallback that delivered"] = (Reset with { IsFallbackCluster = true }, "SameCluster NonStreaming"),
        ["no attempt left"] = (Reset with { AttemptsLeft = 0 }, "GiveUp"),
        ["no time left"] = (Reset with { TimeLeft = TimeSpan.Zero }, "GiveUp"),
        ["no budget left"] = (Reset with { BudgetLeft = false }, "NextCluster NonStreaming"),
        ["no budget left, nobody else"] = (Reset with { BudgetLeft = false, AnotherClusterLeft = false }, "GiveUp"),
        ["no budget left, 429 with a short Retry-After"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second), BudgetLeft = false }, "NextCluster Streaming"),
        ["a probe"] = (BeforeContent with { IsProbe = true }, "NextCluster Streaming"),
        ["a probe, nobody else"] = (BeforeContent with { IsProbe = true, AnotherClusterLeft = false }, "GiveUp"),
        ["a probe that was silent, nobody else"] = (BeforeContent with { IsProbe = true, AnotherClusterLeft = false, Fault = new Fault(FaultKind.FirstContentTimeout, FaultPhase.FirstContent) }, "GiveUp"),
        ["a probe that is to wait"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second), IsProbe = true, AnotherClusterLeft = false }, "GiveUp"),
        ["a probe that delivered"] = (Reset with { IsProbe = true }, "SameCluster NonStreaming"),
        ["one cluster failed on the request"] = (BeforeContent with { AttemptsHere = 2, ClustersFailedOnRequest = 1 }, "NextCluster Streaming"),
        ["two clusters failed on the request"] = (BeforeContent with { AttemptsHere = 2, ClustersFailedOnRequest = 2 }, "GiveUp"),
        ["two clusters failed on the request, after content"] = (Reset with { AttemptsHere = 2, ClustersFailedOnRequest = 2 }, "GiveUp"),
        ["two clusters failed on the request, the second may be asked again"] = (Reset with { IsFallbackCluster = true, ClustersFailedOnRequest = 2 }, "SameCluster NonStreaming"),
        ["switched off"] = (Reset with { Enabled = false }, "GiveUp"),
        ["terminate is configured"] = (Reset with { OnMidStreamFailure = MidStreamFailureAction.Terminate }, "GiveUp"),
        ["terminate is configured, nothing delivered"] = (BeforeContent with { OnMidStreamFailure = MidStreamFailureAction.Terminate }, "SameCluster NonStreaming"),
        ["too much was delivered"] = (Reset with { CanSplice = false }, "GiveUp"),
        ["replay before content only, delivered"] = (Reset with { Replay = ReplayPolicy.BeforeContent }, "GiveUp"),
        ["replay before content only, nothing delivered"] = (BeforeContent with { Replay = ReplayPolicy.BeforeContent }, "SameCluster NonStreaming"),
        ["an agent that acts, reset"] = (BeforeContent with { Replay = ReplayPolicy.Never }, "GiveUp"),
        ["an agent that acts, never reached"] = (BeforeContent with { Replay = ReplayPolicy.Never, Fault = new Fault(FaultKind.ConnectFailed, FaultPhase.Connect) }, "SameCluster NonStreaming"),
        ["silent before headers"] = (BeforeContent with { Fault = new Fault(FaultKind.ResponseHeadersTimeout, FaultPhase.Headers) }, "NextCluster Streaming"),
        ["silent before content, nobody else"] = (BeforeContent with { Fault = new Fault(FaultKind.FirstContentTimeout, FaultPhase.FirstContent), AnotherClusterLeft = false }, "SameCluster NonStreaming"),
        ["silent between contents"] = (Reset with { Fault = new Fault(FaultKind.IdleTimeout, FaultPhase.Content) }, "SameCluster NonStreaming"),
        ["503 without Retry-After"] = (Status503, "SameCluster NonStreaming after 250 ms"),
        ["429 with a short Retry-After"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second) }, "SameCluster Streaming after 1000 ms"),
        ["429 with a long Retry-After"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second * 60) }, "NextCluster Streaming"),
        ["429 with a long Retry-After, nobody else"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second * 60), AnotherClusterLeft = false }, "GiveUp"),
        ["429 with a Retry-After, again"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second), AttemptsHere = 2 }, "NextCluster Streaming"),
        ["Retry-After longer than the time left"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second), TimeLeft = Second / 2 }, "NextCluster Streaming"),
        ["Retry-After as long as the time left"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second), TimeLeft = Second }, "NextCluster Streaming"),
        ["Retry-After as long as is allowed"] = (Status503 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 429, RetryAfter: Second * 5) }, "SameCluster Streaming after 5000 ms"),
        ["Retry-After of a replay"] = (Reset with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Replay, 429, RetryAfter: Second) }, "NextCluster NonStreaming"),
        ["Retry-After of a replay, nobody else"] = (Reset with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Replay, 429, RetryAfter: Second), AnotherClusterLeft = false }, "SameCluster NonStreaming after 1000 ms"),
        ["client error"] = (Status400, "Relay"),
        ["client error of a later attempt"] = (Status400 with { IsFirstAttempt = false }, "NextCluster Streaming"),
        ["client error of the last attempt"] = (Status400 with { IsFirstAttempt = false, AnotherClusterLeft = false }, "GiveUp"),
        ["context too long"] = (Status400 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 400, UpstreamComplaint.ContextLengthExceeded) }, "NextCluster Streaming"),
        ["context too long, nobody else"] = (Status400 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 400, UpstreamComplaint.ContextLengthExceeded), AnotherClusterLeft = false }, "Relay"),
        ["context too long, in an event"] = (BeforeContent with { Fault = new Fault(FaultKind.ErrorEvent, FaultPhase.FirstContent, Complaint: UpstreamComplaint.ContextLengthExceeded) }, "NextCluster Streaming"),
        ["content policy"] = (Status400 with { Fault = new Fault(FaultKind.HttpStatus, FaultPhase.Headers, 400, UpstreamComplaint.ContentPolicy) }, "Relay"),
        ["content policy, in an event"] = (BeforeContent with { Fault = new Fault(FaultKind.ErrorEvent, FaultPhase.FirstContent, Complaint: UpstreamComplaint.ContentPolicy) }, "GiveUp"),
        ["divergence"] = (Reset with { Fault = new Fault(FaultKind.Divergence, FaultPhase.Replay), AttemptsHere = 2, Mode = AttemptMode.NonStreaming }, "NextCluster NonStreaming"),
        ["plain request"] = (Status503 with { ClientStreaming = false, Mode = AttemptMode.NonStreaming, AttemptsHere = 2 }, "NextCluster NonStreaming"),
        ["the client left"] = (Reset with { Fault = new Fault(FaultKind.ClientGone, FaultPhase.Content) }, "GiveUp"),
        ["the gateway stops"] = (Reset with { Fault = new Fault(FaultKind.Shutdown, FaultPhase.Content) }, "GiveUp"),
    };

    public static TheoryData<string> Situations => [.. Table.Keys];

    [Theory]
    [MemberData(nameof(Situations))]
    public void Situation_Decision(string situation)
    {
        var (given, expected) = Table[situation];
        var decision = RecoveryPolicy.Decide(given);
        var text = decision.Step.ToString();
        if (decision.Step is RecoveryStep.SameCluster or RecoveryStep.NextCluster)
        {
            text += $" {decision.Mode}";
        }

        if (decision.Delay > TimeSpan.Zero)
        {
            text += $" after {decision.Delay.TotalMilliseconds:0} ms";
        }

        Assert.Equal(expected, text);
    }

    /// <summary>Total, and never beyond what the contract allows, whatever the combination.</summary>
    [Fact]
    public void EveryCombination_KeepsTheRules()
    {
        var count = 0;
        foreach (var kind in Enum.GetValues<FaultKind>())
        foreach (var delivered in Enum.GetValues<DeliveredKind>())
        foreach (var replay in Enum.GetValues<ReplayPolicy>())
        foreach (var action in Enum.GetValues<MidStreamFailureAction>())
        foreach (var complaint in Enum.GetValues<UpstreamComplaint>())
        foreach (var flags in Enumerable.Range(0, 1024))
        foreach (var attemptsHere in new[] { 1, 2 })
        {
            if ((kind.Side() != FaultSide.Upstream && flags >= 128) || (complaint == UpstreamComplaint.ContentPolicy && flags >= 128))
            {
                continue; // Neither budget nor probe is looked at.
            }

            var s = Reset with
            {
                Fault = new Fault(kind, FaultPhase.Content, Complaint: complaint, RetryAfter: (flags & 64) != 0 ? Second : null),
                Delivered = delivered,
                Replay = replay,
                OnMidStreamFailure = action,
                CanSplice = (flags & 1) != 0,
                Enabled = (flags & 2) != 0,
                AnotherClusterLeft = (flags & 4) != 0,
                IsFallbackCluster = (flags & 8) != 0,
                IsFirstAttempt = (flags & 16) != 0,
                IsClientError = (flags & 32) != 0,
                AttemptsHere = attemptsHere,
                BudgetLeft = (flags & 128) == 0,
                IsProbe = (flags & 256) != 0,
                ClustersFailedOnRequest = (flags & 512) != 0 ? 2 : 1,
            };
            var d = RecoveryPolicy.Decide(s);
            count++;
            var goesOn = d.Step is RecoveryStep.SameCluster or RecoveryStep.NextCluster;
            Assert.False(goesOn && !s.Enabled);
            Assert.False(goesOn && kind.Side() != FaultSide.Upstream);
            Assert.False(goesOn && delivered != DeliveredKind.Nothing && (!s.CanSplice || action == MidStreamFailureAction.Terminate || replay != ReplayPolicy.Safe));
            Assert.False(goesOn && delivered != DeliveredKind.Nothing && d.Mode == AttemptMode.Streaming);
            Assert.False(goesOn && complaint == UpstreamComplaint.ContentPolicy);
            Assert.False(goesOn && replay == ReplayPolicy.Never && !kind.NeverArrived());
            Assert.False(d.Step == RecoveryStep.NextCluster && !s.AnotherClusterLeft);
            Assert.False(d.Step == RecoveryStep.SameCluster && attemptsHere > 1);
            Assert.False(d.Step == RecoveryStep.SameCluster && !s.BudgetLeft);
            Assert.False(d.Step == RecoveryStep.SameCluster && s.IsProbe && !s.DeliveredHere);
            Assert.False(d.Step == RecoveryStep.NextCluster && s.ClustersFailedOnRequest > 1);
            Assert.False(d.Step == RecoveryStep.Relay && !(s.IsFirstAttempt && s.IsClientError));
        }

        Assert.True(count > 100_000);
    }
}
