using ProxyGateway.Demo;
using Xunit;

namespace ProxyGateway.IntegrationTests.Demo;

/// <summary>The demo with an agent in the gateway's place: it must see that nothing was recovered, and say so.</summary>
public sealed class DemoCommandTests
{
    // Without a gateway nobody cuts the long silences short.
    private static readonly IReadOnlyList<DemoCase> s_cases = [.. DemoCase.All.Where(c => c.Cluster != DemoFleet.Stalling && !c.Model.Contains("slow", StringComparison.Ordinal))];

    [Fact]
    public async Task DyingAgentInsteadOfGateway_CutStreamsAreCalledBrokenAndExitCodeIsOne()
    {
        var output = new StringWriter();

        var exitCode = await Command(DemoFleet.Dying, s_cases, output).RunAsync(once: true, TestContext.Current.CancellationToken);

        Assert.Equal(1, exitCode);
        Assert.Equal("kept", Row(output, "demo-good").Promise);
        Assert.Equal(("NOT KEPT", "dying: reset after 12 tokens", "BROKEN: 12 tokens"), Row(output, "demo-reset-12"));
        Assert.Equal(("NOT KEPT", "dying: ended after 12 tokens", "BROKEN: 12 tokens"), Row(output, "demo-clean-12"));
        Assert.Equal(("NOT KEPT", "dying: died inside an event, 12 tokens", "BROKEN: 12 tokens"), Row(output, "demo-half-12"));
        Assert.Equal(("NOT KEPT", "dying: error event after 12 tokens", "BROKEN: 12 tokens"), Row(output, "demo-error-12"));
        Assert.Equal("NOT KEPT", Row(output, "demo-diverge-12").Promise);
        Assert.Contains(" 0 answers arrived whole although an agent failed", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GoodAgentInsteadOfGateway_WholeAnswersWithoutAFailureAreNoSuccess()
    {
        var output = new StringWriter();

        var exitCode = await Command(DemoFleet.Good, s_cases, output).RunAsync(once: true, TestContext.Current.CancellationToken);

        Assert.Equal(1, exitCode);
        Assert.Equal("kept", Row(output, "demo-good").Promise);
        Assert.Equal(("NOT KEPT", "good: streamed its whole answer", "complete: 40 tokens"), Row(output, "demo-reset-12"));
        Assert.Equal("NOT KEPT", Row(output, "demo-diverge-12").Promise);
    }

    [Fact]
    public async Task OnlyPromisesThatHold_ExitCodeIsZero()
    {
        var output = new StringWriter();

        var exitCode = await Command(DemoFleet.Good, [DemoCase.All[0]], output).RunAsync(once: true, TestContext.Current.CancellationToken);

        Assert.Equal(0, exitCode);
        Assert.Contains("1 of 1 promises kept", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("curl", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NotOnce_ServesUntilCancelledAndPrintsALineToTry()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var invited = new TaskCompletionSource();
        var output = new FlushSignallingWriter(invited);

        var run = Command(DemoFleet.Good, [DemoCase.All[0]], output).RunAsync(once: false, cancellation.Token);
        await invited.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.False(run.IsCompleted);
        await cancellation.CancelAsync();

        Assert.Equal(0, await run);
        Assert.Contains("curl -N http://127.0.0.1:", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("the status page is at http://127.0.0.1:8081/,", output.ToString(), StringComparison.Ordinal);
    }

    private static DemoCommand Command(string agent, IReadOnlyList<DemoCase> cases, TextWriter output) => new(
        (configuration, _) => Task.FromResult(new DemoGateway(
            new Uri(configuration[$"ReverseProxy:Clusters:{agent}:Destinations:a:Address"]!), new Uri("http://127.0.0.1:8081"), new Nothing())),
        output)
    { Cases = cases };

    private static (string Promise, string Agent, string Client) Row(StringWriter output, string model)
    {
        var cells = output.ToString().Split(Environment.NewLine).First(line => line.StartsWith(model + " ", StringComparison.Ordinal)).Split('|');
        return (cells[4].Trim(), cells[1].Trim(), cells[2].Trim());
    }

    private sealed class Nothing : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class FlushSignallingWriter(TaskCompletionSource flushed) : StringWriter
    {
        public override void Flush() => flushed.TrySetResult();
    }
}
