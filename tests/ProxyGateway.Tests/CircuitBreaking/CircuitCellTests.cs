using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>What counts and what opens.</summary>
public sealed class CircuitCellTests
{
    [Theory]
    [InlineData("ffff", CircuitStatus.Closed)]
    [InlineData("fffff", CircuitStatus.Open)]
    [InlineData("ffffsffff", CircuitStatus.Closed)]
    [InlineData("ffffsfffff", CircuitStatus.Open)]
    [InlineData("sssssssssssssssssssssfffff", CircuitStatus.Open)]
    [InlineData("ffffnnnnnnnn", CircuitStatus.Closed)]
    [InlineData("ffffnf", CircuitStatus.Open)]
    [InlineData("ffffcf", CircuitStatus.Open)]
    public void OutcomesInARow_OpenAtTheThreshold(string outcomes, object expected)
    {
        var circuit = new CircuitUnderTest();
        foreach (var outcome in outcomes)
        {
            var permit = circuit.Enter();
            switch (outcome)
            {
                case 's':
                    permit.OnSuccess();
                    break;
                case 'f':
                    permit.OnFailure();
                    break;
                case 'n':
                    permit.OnNeutral();
                    break;
                case 'c':
                    permit.OnFirstContent(TimeSpan.FromSeconds(1));
                    break;
            }
        }

        Assert.Equal((CircuitStatus)expected, circuit.Cell.Status);
    }

    [Fact]
    public void Open_RefusesWithTheRestOfTheBreak()
    {
        var circuit = new CircuitUnderTest();
        circuit.Open();

        Assert.Equal(TimeSpan.FromSeconds(30), circuit.Refused());
        circuit.Time.Advance(TimeSpan.FromSeconds(29.5));
        Assert.Equal(TimeSpan.FromSeconds(0.5), circuit.Refused());
        Assert.Equal(TimeSpan.FromSeconds(0.5), circuit.Cell.TimeToHalfOpen);
    }

    [Fact]
    public void BreakOver_IsReportedOpenUntilSomebodyEnters()
    {
        var circuit = new CircuitUnderTest();
        circuit.Open();
        circuit.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal((CircuitStatus.Open, TimeSpan.Zero), (circuit.Cell.Status, circuit.Cell.TimeToHalfOpen));
        circuit.Enter();
        Assert.Equal(CircuitStatus.HalfOpen, circuit.Cell.Status);
    }

    [Fact]
    public void SeveralVerdicts_OnlyTheFirstCounts()
    {
        var circuit = new CircuitUnderTest();
        for (var i = 0; i < 20; i++)
        {
            var permit = circuit.Enter();
            permit.OnNeutral();
            permit.OnFailure(TimeSpan.FromMinutes(1));
            permit.OnFirstContent(TimeSpan.Zero);
        }

        Assert.Equal((CircuitStatus.Closed, 0), (circuit.Cell.Status, circuit.Cell.Snapshot().FailuresInARow));

        var failed = circuit.Enter();
        failed.OnFailure();
        failed.OnSuccess();
        failed.OnFailure();
        Assert.Equal(1, circuit.Cell.Snapshot().FailuresInARow);
    }

    [Fact]
    public void LateResultsOfAnOldGeneration_DecideNothing()
    {
        var circuit = new CircuitUnderTest();
        var old = Enumerable.Range(0, 5).Select(_ => circuit.Enter()).ToArray();
        circuit.Open();

        old[0].OnSuccess();
        Assert.Equal(CircuitStatus.Open, circuit.Cell.Status);

        var probe = circuit.Probe();
        old[1].OnSuccess();
        old[2].OnFirstContent(TimeSpan.Zero);
        old[3].OnNeutral();
        Assert.Equal((CircuitStatus.HalfOpen, 1), (circuit.Cell.Status, circuit.Cell.Snapshot().Probes));

        probe.OnSuccess();
        old[4].OnFailure(TimeSpan.FromMinutes(1));
        Assert.Equal((CircuitStatus.Closed, 0), (circuit.Cell.Status, circuit.Cell.Snapshot().FailuresInARow));
    }

    [Fact]
    public void RetryAfter_OpensAtOnceForAtLeastThatLong()
    {
        var circuit = new CircuitUnderTest();
        circuit.Enter().OnFailure(TimeSpan.FromSeconds(90));
        Assert.Equal(TimeSpan.FromSeconds(90), circuit.Cell.TimeToHalfOpen);
        Assert.Equal(CircuitTransitionReason.RetryAfter, Assert.Single(circuit.Transitions).Reason);
    }

    [Theory]
    [InlineData(1, 30)] // a shorter one is a floor only
    [InlineData(3600, 300)] // MaxBreakDuration
    public void RetryAfterOutOfBounds_IsClamped(int seconds, int expected)
    {
        var circuit = new CircuitUnderTest();
        circuit.Enter().OnFailure(TimeSpan.FromSeconds(seconds));
        Assert.Equal(TimeSpan.FromSeconds(expected), circuit.Cell.TimeToHalfOpen);
    }

    [Fact]
    public void SlowFirstContent_IsAFailureThatACompleteAnswerDoesNotUndo()
    {
        var circuit = new CircuitUnderTest(options => options.SlowCallThreshold = TimeSpan.FromSeconds(10));
        for (var i = 0; i < 5; i++)
        {
            var permit = circuit.Enter();
            permit.OnFirstContent(TimeSpan.FromSeconds(10.1));
            permit.OnSuccess();
        }

        Assert.Equal(CircuitStatus.Open, circuit.Cell.Status);
    }

    [Fact]
    public void FirstContentAtTheSlowCallThreshold_IsNotSlow()
    {
        var circuit = new CircuitUnderTest(options => options.SlowCallThreshold = TimeSpan.FromSeconds(10));
        circuit.Enter().OnFirstContent(TimeSpan.FromSeconds(10));
        Assert.Equal(0, circuit.Cell.Snapshot().FailuresInARow);
    }

    [Fact]
    public void SlowFirstContentOfAProbe_Reopens()
    {
        var circuit = new CircuitUnderTest(options => options.SlowCallThreshold = TimeSpan.FromSeconds(10));
        circuit.Open();
        circuit.Probe().OnFirstContent(TimeSpan.FromSeconds(11));
        Assert.Equal(CircuitStatus.Open, circuit.Cell.Status);
    }

    [Fact]
    public void ThresholdChange_TakesEffectAndTheStateStays()
    {
        var circuit = new CircuitUnderTest();
        circuit.Fail(3);
        circuit.Configure(options => options.FailureThreshold = 8);
        circuit.Fail(4);
        Assert.Equal((CircuitStatus.Closed, 7), (circuit.Cell.Status, circuit.Cell.Snapshot().FailuresInARow));

        circuit.Configure(options => options.FailureThreshold = 2);
        circuit.Enter().OnNeutral();
        Assert.Equal(CircuitStatus.Closed, circuit.Cell.Status);
        circuit.Fail();
        Assert.Equal(CircuitStatus.Open, circuit.Cell.Status);

        circuit.Configure(options => options.BreakDuration = TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(30), circuit.Refused());
    }

    [Fact]
    public void SwitchedOff_LetsEverybodyInAndCountsNothing()
    {
        var circuit = new CircuitUnderTest();
        circuit.Fail(4);
        circuit.Configure(options => options.Enabled = false);
        circuit.Fail(100);
        Assert.Equal((CircuitStatus.Closed, 4), (circuit.Cell.Status, circuit.Cell.Snapshot().FailuresInARow));

        circuit.Configure(options => options.Enabled = true);
        circuit.Fail();
        circuit.Refused();
        circuit.Configure(options => options.Enabled = false);
        circuit.Succeed();
        Assert.Equal(CircuitStatus.Open, circuit.Cell.Status);
    }

    [Fact]
    public void WallClockJump_ChangesNothing()
    {
        var clock = new SplitClock();
        var cell = new CircuitCell(clock);
        var settings = CircuitBreakerSettings.From(new CircuitBreakerOptions { FailureThreshold = 1, BreakJitter = 0 });
        Assert.True(cell.TryEnter(settings, out var permit, out _));
        permit.OnFailure();

        clock.SetWallClock(clock.GetUtcNow().AddDays(1));
        Assert.Equal(TimeSpan.FromSeconds(30), cell.TimeToHalfOpen);
        clock.SetWallClock(clock.GetUtcNow().AddDays(-3));
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(cell.TryEnter(settings, out _, out _));
    }

    [Fact]
    public void Transitions_AreToldInOrderWithReasonAndBreak()
    {
        var circuit = new CircuitUnderTest();
        circuit.Open();
        circuit.Probe().OnFailure();
        var probe = circuit.Probe();
        probe.OnFirstContent(TimeSpan.Zero);
        probe.OnSuccess();

        Assert.Equal(
            [
                new(CircuitStatus.Closed, CircuitStatus.Open, CircuitTransitionReason.FailuresInARow, TimeSpan.FromSeconds(30)),
                new(CircuitStatus.Open, CircuitStatus.HalfOpen, CircuitTransitionReason.BreakOver, TimeSpan.Zero),
                new(CircuitStatus.HalfOpen, CircuitStatus.Open, CircuitTransitionReason.ProbeFailed, TimeSpan.FromSeconds(60)),
                new(CircuitStatus.Open, CircuitStatus.HalfOpen, CircuitTransitionReason.BreakOver, TimeSpan.Zero),
                new(CircuitStatus.HalfOpen, CircuitStatus.Closed, CircuitTransitionReason.ProbeFirstContent, TimeSpan.Zero),
            ],
            circuit.Transitions);
    }

    [Fact]
    public void ListenerThatCallsBack_IsOutsideTheLockAndHearsOfItAfterwards()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Transitioned += transition =>
        {
            if (transition.To == CircuitStatus.Open)
            {
                // From another thread: a lock held here would be a deadlock.
                Assert.True(Task.Run(circuit.Cell.Isolate, TestContext.Current.CancellationToken).Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            }
        };
        var heardLast = new List<CircuitStatus>();
        circuit.Cell.Transitioned += transition => heardLast.Add(transition.To);
        circuit.Fail(5);

        Assert.Equal([CircuitStatus.Open, CircuitStatus.Isolated], circuit.Transitions.Select(transition => transition.To));
        Assert.Equal([CircuitStatus.Open, CircuitStatus.Isolated], heardLast);
    }

    [Fact]
    public void ListenerThatThrows_DoesNotSilenceTheNextTransition()
    {
        var circuit = new CircuitUnderTest();
        circuit.Cell.Transitioned += transition =>
        {
            if (transition.To == CircuitStatus.Open)
            {
                throw new InvalidOperationException("told");
            }
        };
        Assert.Throws<InvalidOperationException>(() => circuit.Fail(5));
        circuit.Cell.Reset();

        Assert.Equal([CircuitStatus.Open, CircuitStatus.Closed], circuit.Transitions.Select(transition => transition.To));
    }
}
