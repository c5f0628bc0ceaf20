using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>What another replica's open circuit does to a closed one.</summary>
public sealed class CircuitHintTests
{
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(30);

    [Fact]
    public void Hint_LetsOneProbeAtATimeIn()
    {
        var circuit = new CircuitUnderTest();
        Assert.True(circuit.Cell.Hint(Break));

        var probe = circuit.Enter();

        Assert.True(probe.IsProbe);
        Assert.Equal(CircuitCell.ProbeWait, circuit.Refused());
        Assert.Equal(CircuitStatus.Closed, circuit.Cell.Status);
        Assert.Equal(Break, circuit.Cell.Snapshot().Hinted);
        probe.OnNeutral();
        circuit.Enter();
    }

    [Fact]
    public void Hint_AsManyProbesAsHalfOpenHas()
    {
        var circuit = new CircuitUnderTest(o => o.HalfOpenProbes = 2);
        circuit.Cell.Hint(Break);
        circuit.Enter();
        circuit.Enter();
        circuit.Refused();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ProbeHasContent_TrafficFlowsAndFurtherHintsAreNotBelieved(bool complete)
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Hint(Break);
        var probe = circuit.Enter();
        if (complete)
        {
            probe.OnSuccess();
        }
        else
        {
            probe.OnFirstContent(TimeSpan.Zero);
        }

        Assert.False(circuit.Enter().IsProbe);
        Assert.False(circuit.Cell.Hint(Break));
        Assert.False(circuit.Enter().IsProbe);
        Assert.Equal(TimeSpan.Zero, circuit.Cell.Snapshot().Hinted);
        Assert.Empty(circuit.Transitions);
    }

    [Fact]
    public void FailureOfItsOwn_MakesHintsBelievableAgain()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Hint(Break);
        circuit.Enter().OnFirstContent(TimeSpan.Zero);
        Assert.False(circuit.Cell.Hint(Break));

        circuit.Fail();

        Assert.True(circuit.Cell.Hint(Break));
        Assert.True(circuit.Enter().IsProbe);
    }

    [Fact]
    public void ProbeFails_TheCircuitOpensAtOnce()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Hint(Break);

        circuit.Enter().OnFailure();

        Assert.Equal([new(CircuitStatus.Closed, CircuitStatus.Open, CircuitTransitionReason.HintConfirmed, Break)], circuit.Transitions);
        Assert.Equal(TimeSpan.Zero, circuit.Cell.Snapshot().Hinted);
    }

    [Fact]
    public void SlowProbe_TheCircuitOpensAtOnce()
    {
        var circuit = new CircuitUnderTest(o => o.SlowCallThreshold = TimeSpan.FromSeconds(1));
        circuit.Cell.Hint(Break);
        circuit.Enter().OnFirstContent(TimeSpan.FromSeconds(2));
        Assert.Equal(CircuitTransitionReason.HintConfirmed, Assert.Single(circuit.Transitions).Reason);
    }

    /// <summary>Who was under way when the hint came knows nothing of the time since.</summary>
    [Fact]
    public void RequestFromBefore_NeitherConfirmsNorRefutes()
    {
        var circuit = new CircuitUnderTest();
        var (good, bad) = (circuit.Enter(), circuit.Enter());
        circuit.Cell.Hint(Break);

        good.OnSuccess();
        bad.OnFailure();

        Assert.Equal((CircuitStatus.Closed, 1), (circuit.Cell.Status, circuit.Cell.Snapshot().FailuresInARow));
        Assert.True(circuit.Enter().IsProbe);
        circuit.Refused();
    }

    [Fact]
    public void BreakIsOver_SoIsTheHint()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Hint(Break);
        var probe = circuit.Enter();
        circuit.Time.Advance(Break);

        Assert.False(circuit.Enter().IsProbe);

        // Its verdict is one of many by now.
        probe.OnFailure();
        Assert.Equal(CircuitStatus.Closed, circuit.Cell.Status);
        Assert.True(circuit.Cell.Hint(Break));
        circuit.Enter();
    }

    [Fact]
    public void NextHintAtTheEndOfOne_HasProbesOfItsOwn()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Hint(TimeSpan.FromSeconds(5));
        circuit.Enter();
        circuit.Time.Advance(TimeSpan.FromSeconds(5));
        circuit.Cell.Hint(TimeSpan.FromSeconds(5));

        Assert.True(circuit.Enter().IsProbe);
        circuit.Refused();
    }

    [Fact]
    public void LastSecond_TellsNobodyToWaitLonger()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Hint(TimeSpan.FromMilliseconds(300));
        circuit.Enter();
        Assert.Equal(TimeSpan.FromMilliseconds(300), circuit.Refused());
    }

    [Fact]
    public void RepeatedHint_GoesOnAndIsNoNews()
    {
        var circuit = new CircuitUnderTest();
        Assert.True(circuit.Cell.Hint(TimeSpan.FromSeconds(3)));
        circuit.Enter();
        circuit.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(circuit.Cell.Hint(TimeSpan.FromSeconds(3)));
        circuit.Time.Advance(TimeSpan.FromSeconds(2.5));
        circuit.Refused();
        circuit.Time.Advance(TimeSpan.FromSeconds(0.5));
        circuit.Enter();
    }

    [Fact]
    public void AbsurdlyLongHint_IsNoLongerThanAnOwnBreakCouldBe()
    {
        var circuit = new CircuitUnderTest(o => o.MaxBreakDuration = TimeSpan.FromMinutes(2));
        circuit.Enter().OnSuccess();
        circuit.Cell.Hint(TimeSpan.FromDays(1));
        Assert.Equal(TimeSpan.FromMinutes(2), circuit.Cell.Snapshot().Hinted);
        Assert.False(circuit.Cell.Hint(TimeSpan.Zero));
        Assert.False(circuit.Cell.Hint(TimeSpan.FromSeconds(-1)));
    }

    [Fact]
    public void SilentProbe_GivesItsPlaceBackWithoutAVerdict()
    {
        var circuit = new CircuitUnderTest(o => o.ProbeTimeout = TimeSpan.FromSeconds(5));
        circuit.Cell.Hint(Break);
        circuit.Enter();
        circuit.Time.Advance(TimeSpan.FromSeconds(5));
        circuit.Enter();
        Assert.Equal(CircuitStatus.Closed, circuit.Cell.Status);
    }

    [Fact]
    public void OpenIsolatedOrOnProbation_IsTheJudgementThatCounts()
    {
        var circuit = new CircuitUnderTest();
        circuit.Open();
        Assert.False(circuit.Cell.Hint(Break));
        circuit.Probe().OnFirstContent(TimeSpan.Zero);
        Assert.True(circuit.Cell.Snapshot().OnProbation);
        Assert.False(circuit.Cell.Hint(Break));
        circuit.Cell.Isolate();
        Assert.False(circuit.Cell.Hint(Break));
        circuit.Refused();
    }

    [Fact]
    public void ClosedByHand_TheHintIsGone()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Hint(Break);
        circuit.Enter();
        circuit.Cell.Close();
        Assert.False(circuit.Enter().IsProbe);
    }

    [Fact]
    public void SwitchedOff_HintsChangeNothing()
    {
        var circuit = new CircuitUnderTest(o => o.Enabled = false);
        circuit.Cell.Hint(Break);
        circuit.Enter();
        circuit.Enter();
    }
}
