using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

/// <summary>
/// The promised figures at full length. Not part of the usual run: they take minutes and want a quiet machine. One by one with
/// <c>-explicit only -method</c>; what was measured is in docs/budgets-and-limits.md.
/// </summary>
public sealed class FullFigureTests
{
    [Fact(Explicit = true)]
    public async Task DeadUpstreamFor30Seconds_GetsAFifthMoreAndTheFloorAtMost()
    {
        var figures = await DeadUpstream.RunAsync(perSecond: 200, TimeSpan.FromSeconds(30));
        Report(figures);
        figures.AssertKept();
    }

    [Fact(Explicit = true)]
    public async Task DownForAMinute_ServedByTheFallbackAndBackWithin30Seconds()
    {
        var figures = await Outage.RunAsync(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(4));
        Report(figures);
        figures.AssertKept(TimeSpan.FromSeconds(30));
    }

    [Fact(Explicit = true)]
    public async Task OverloadAtThreeTimesTheCapacity_GoodputStaysAtNineTenthsOfThePeak()
    {
        var figures = await Overload.RunAsync(TimeSpan.FromSeconds(20));
        Report(figures);
        Assert.True(figures.Overloaded >= 0.9 * figures.Peak, figures.ToString());
    }

    private static void Report(object figures)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(figures.ToString() ?? "");
        TestContext.Current.SendDiagnosticMessage(figures.ToString() ?? "");
    }
}
