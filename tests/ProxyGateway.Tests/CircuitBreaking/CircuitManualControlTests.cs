using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>Isolate, close and reset by hand.</summary>
public sealed class CircuitManualControlTests
{
    private readonly CircuitUnderTest _circuit = new();

    [Fact]
    public void Isolated_RefusesHoweverLongItTakes()
    {
        _circuit.Cell.Isolate();
        _circuit.Time.Advance(TimeSpan.FromDays(10));
        Assert.Equal(TimeSpan.FromMinutes(5), _circuit.Refused());
        Assert.Equal((CircuitStatus.Isolated, TimeSpan.MaxValue), (_circuit.Cell.Status, _circuit.Cell.TimeToHalfOpen));
    }

    [Fact]
    public void ResultsOfExchangesFromBeforeIsolation_ChangeNothing()
    {
        var permits = Enumerable.Range(0, 10).Select(_ => _circuit.Enter()).ToArray();
        _circuit.Cell.Isolate();
        permits[0].OnSuccess();
        permits[1].OnFailure(TimeSpan.FromSeconds(1));
        Assert.Equal(CircuitStatus.Isolated, _circuit.Cell.Status);

        _circuit.Cell.Close();
        foreach (var permit in permits)
        {
            permit.OnFailure();
        }

        Assert.Equal((CircuitStatus.Closed, 0), (_circuit.Cell.Status, _circuit.Cell.Snapshot().FailuresInARow));
    }

    [Fact]
    public void Close_EndsIsolationAndBreak()
    {
        _circuit.Cell.Isolate();
        _circuit.Cell.Close();
        _circuit.Open();
        _circuit.Cell.Close();
        _circuit.Fail(4);
        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
    }

    [Fact]
    public void Close_KeepsTheGrowthThatResetForgets()
    {
        _circuit.Open();
        _circuit.Cell.Close();
        _circuit.Open();
        Assert.Equal(TimeSpan.FromSeconds(60), _circuit.Cell.TimeToHalfOpen);

        _circuit.Cell.Reset();
        _circuit.Open();
        Assert.Equal(TimeSpan.FromSeconds(30), _circuit.Cell.TimeToHalfOpen);
    }

    [Fact]
    public void Reset_ForgetsTheCountOfAClosedCircuitWithoutATransition()
    {
        _circuit.Fail(4);
        _circuit.Cell.Reset();
        _circuit.Fail(4);
        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
        Assert.Empty(_circuit.Transitions);
    }

    [Fact]
    public void IsolatedTwice_IsOneTransition()
    {
        _circuit.Cell.Isolate();
        _circuit.Cell.Isolate();
        Assert.Equal(CircuitTransitionReason.IsolatedByHand, Assert.Single(_circuit.Transitions).Reason);
    }

    [Fact]
    public void IsolatedWhileAProbeIsOut_TheProbeDoesNotClose()
    {
        _circuit.Open();
        var probe = _circuit.Probe();
        _circuit.Cell.Isolate();
        probe.OnFirstContent(TimeSpan.Zero);
        probe.OnSuccess();
        Assert.Equal(CircuitStatus.Isolated, _circuit.Cell.Status);
    }

    [Fact]
    public void NewSettings_LeaveItIsolated()
    {
        _circuit.Cell.Isolate();
        _circuit.Configure(options => options.FailureThreshold = 9);
        _circuit.Refused();
    }
}
