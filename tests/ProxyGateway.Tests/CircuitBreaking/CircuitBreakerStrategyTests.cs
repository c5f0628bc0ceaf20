using Polly;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>The cell in a Polly pipeline: who gets in, and with what. Verdicts are the execution's own, see <see cref="Exchange.ClusterVisitsTests"/>.</summary>
public sealed class CircuitBreakerStrategyTests
{
    private readonly CircuitUnderTest _circuit = new();
    private readonly ResiliencePipeline<string> _pipeline;

    public CircuitBreakerStrategyTests() => _pipeline = new ResiliencePipelineBuilder<string>()
        .AddCircuit(_circuit.Cell, () => _circuit.Settings, retryAfter => $"refused for {retryAfter.TotalSeconds:0}")
        .Build();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OpenCircuit_RefusesWithoutACall()
    {
        _circuit.Open();
        var called = false;
        var refused = await Run(_ => { called = true; return "ok"; });
        Assert.Equal(("refused for 30", false), (refused, called));
    }

    [Fact]
    public async Task CallbackOfAProbe_ReportsThroughItsPermit()
    {
        _circuit.Open();
        _circuit.Time.Advance(TimeSpan.FromSeconds(30));
        var result = await Run(permit =>
        {
            Assert.True(permit.IsProbe);
            permit.OnFirstContent(TimeSpan.FromSeconds(1));
            Assert.True(_circuit.Cell.Snapshot().OnProbation);
            permit.OnSuccess();
            return "ok";
        });

        Assert.Equal("ok", result);
        Assert.Equal((CircuitStatus.Closed, false), (_circuit.Cell.Status, _circuit.Cell.Snapshot().OnProbation));
    }

    [Fact]
    public async Task ChangedSettings_ReachAPipelineThatWasBuiltBefore()
    {
        _circuit.Configure(options => options.FailureThreshold = 1);
        await Run(permit => { permit.OnFailure(); return "bad"; });
        Assert.Equal("refused for 30", await Run(_ => "ok"));
    }

    [Fact]
    public async Task ExecutionThatCannotHoldAPermit_IsAMistake()
    {
        // Its verdict would never come, and a probe of it would shut everybody out.
        await Assert.ThrowsAsync<InvalidCastException>(async () => await _pipeline.ExecuteAsync(_ => ValueTask.FromResult("ok"), Cancellation));
        Assert.Equal(0, _circuit.Cell.Snapshot().Probes);
    }

    private async Task<string> Run(Func<CircuitPermit, string> callback)
    {
        var context = ResilienceContextPool.Shared.Get(Cancellation);
        try
        {
            var outcome = await _pipeline.ExecuteOutcomeAsync(static (_, c) => Outcome.FromResultAsValueTask(c.Run()), context, new Execution(callback));
            return outcome.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private sealed class Execution(Func<CircuitPermit, string> callback) : IPermitHolder
    {
        public CircuitPermit Permit { get; set; } = CircuitPermit.Uncounted;

        public string Run() => callback(Permit);
    }
}
