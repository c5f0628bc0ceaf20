using ProxyGateway.StreamingFallback.Telemetry;
using Xunit;

namespace ProxyGateway.Tests.Telemetry;

public sealed class FaultVocabularyTests
{
    [Fact]
    public void EveryFault_HasALabelOfItsOwn_ASide_ACodeAndASentence()
    {
        var kinds = Enum.GetValues<FaultKind>();
        Assert.Equal(kinds.Length, kinds.Select(k => k.Label()).Distinct().Count());
        foreach (var kind in kinds.Where(k => k != FaultKind.None))
        {
            Assert.Matches("^[a-z_]+$", kind.Label());
            Assert.Matches("^[a-z_]+$", kind.Code());
            Assert.NotEqual(FaultSide.None, kind.Side());
            Assert.NotEqual("", new Fault(kind, FaultPhase.Content).Sentence());
        }
    }

    [Fact]
    public void EveryPhaseAndOutcome_HasALabelOfItsOwn()
    {
        Assert.Equal(Enum.GetValues<FaultPhase>().Length, Enum.GetValues<FaultPhase>().Select(p => p.Label()).Distinct().Count());
        Assert.Equal(Enum.GetValues<ExchangeOutcome>().Length, Enum.GetValues<ExchangeOutcome>().Select(o => o.Label()).Distinct().Count());
        Assert.Equal(Enum.GetValues<HedgeResult>().Length, Enum.GetValues<HedgeResult>().Select(r => r.Label()).Distinct().Count());
        Assert.Equal(Enum.GetValues<AttemptResult>().Length, Enum.GetValues<AttemptResult>().Select(r => r.Label()).Distinct().Count());
    }

    [Theory]
    [InlineData(nameof(FaultKind.HttpStatus), 500, true)]
    [InlineData(nameof(FaultKind.EndedEarly), 0, true)]
    [InlineData(nameof(FaultKind.FirstContentTimeout), 0, true)]
    [InlineData(nameof(FaultKind.ErrorEvent), 0, true)]
    [InlineData(nameof(FaultKind.HttpStatus), 429, false)]
    [InlineData(nameof(FaultKind.HttpStatus), 503, false)]
    [InlineData(nameof(FaultKind.ConnectFailed), 0, false)]
    [InlineData(nameof(FaultKind.NoDestination), 0, false)]
    [InlineData(nameof(FaultKind.CircuitOpen), 0, false)]
    [InlineData(nameof(FaultKind.Divergence), 0, false)]
    [InlineData(nameof(FaultKind.ClientGone), 0, false)]
    public void Fault_MayBeTheRequestOrNot(string kind, int status, bool expected) =>
        Assert.Equal(expected, new Fault(Enum.Parse<FaultKind>(kind), FaultPhase.Headers, status).MayBeTheRequest());
}
