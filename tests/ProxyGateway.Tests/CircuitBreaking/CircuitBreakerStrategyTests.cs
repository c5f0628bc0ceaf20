using Polly;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>The cell in a Polly pipeline. Results: "ok", "bad", "gone", and what a refusal is made into.</summary>
public sealed class CircuitBreakerStrategyTests
{
    private readonly CircuitUnderTest _circuit = new();
    private readonly ResiliencePipeline<string> _pipeline;

    public CircuitBreakerStrategyTests() => _pipeline = Pipeline(_circuit);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FailingResults_OpenAndRefuseWithoutACall()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("bad", await Run("bad"));
        }

        var called = false;
        var refused = await _pipeline.ExecuteAsync(_ => { called = true; return ValueTask.FromResult("ok"); }, Cancellation);
        Assert.Equal(("refused for 30", false), (refused, called));
    }

    [Fact]
    public async Task VerdictWithRetryAfter_OpensForThatLong()
    {
        await Run("busy");
        Assert.Equal("refused for 77", await Run("ok"));
    }

    [Fact]
    public async Task NeutralResultOfAProbe_GivesTheSlotBack()
    {
        _circuit.Open();
        _circuit.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("gone", await Run("gone"));
        Assert.Equal("ok", await Run("ok"));
        Assert.Equal(CircuitStatus.Closed, _circuit.Cell.Status);
    }

    [Theory]
    [InlineData(false, CircuitStatus.Open)]
    [InlineData(true, CircuitStatus.HalfOpen)]
    public async Task ExceptionOfAProbe_FailsUnlessItIsACancellation(bool cancelled, object expected)
    {
        _circuit.Open();
        _circuit.Time.Advance(TimeSpan.FromSeconds(30));
        Exception exception = cancelled ? new TaskCanceledException() : new IOException();
        Assert.Same(exception, await Record.ExceptionAsync(async () =>
            await _pipeline.ExecuteAsync<string>(_ => throw exception, Cancellation)));
        Assert.Equal(((CircuitStatus)expected, 0), (_circuit.Cell.Status, _circuit.Cell.Snapshot().Probes));
    }

    [Fact]
    public async Task StrategyOutsideThatThrows_LeavesNoProbeBehind()
    {
        var thrower = new ResiliencePipelineBuilder<string>()
            .AddCircuit(_circuit.Cell, () => _circuit.Settings, Refused, Judge)
            .AddStrategy(_ => new Thrower())
            .Build();
        _circuit.Open();
        _circuit.Time.Advance(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await thrower.ExecuteAsync(_ => ValueTask.FromResult("ok"), Cancellation));
        Assert.Equal((CircuitStatus.Open, 0), (_circuit.Cell.Status, _circuit.Cell.Snapshot().Probes));
    }

    [Fact]
    public async Task CallbackOfAProbe_ReportsFirstContentThroughItsPermit()
    {
        _circuit.Open();
        _circuit.Time.Advance(TimeSpan.FromSeconds(30));
        var result = await WithPermit(permit =>
        {
            permit.OnFirstContent(TimeSpan.FromSeconds(1));
            Assert.True(_circuit.Cell.Snapshot().OnProbation);
            return "ok";
        });

        Assert.Equal("ok", result);
        Assert.Equal((CircuitStatus.Closed, false), (_circuit.Cell.Status, _circuit.Cell.Snapshot().OnProbation));
    }

    [Fact]
    public async Task EarlyVerdictOfTheCallback_StandsAgainstTheResult()
    {
        await WithPermit(permit =>
        {
            permit.OnNeutral();
            return "bad";
        });
        Assert.Equal(0, _circuit.Cell.Snapshot().FailuresInARow);
    }

    [Fact]
    public async Task ChangedSettings_ReachAPipelineThatWasBuiltBefore()
    {
        _circuit.Configure(options => options.FailureThreshold = 1);
        await Run("bad");
        Assert.Equal("refused for 30", await Run("ok"));
    }

    private static ResiliencePipeline<string> Pipeline(CircuitUnderTest circuit) => new ResiliencePipelineBuilder<string>()
        .AddCircuit(circuit.Cell, () => circuit.Settings, Refused, Judge)
        .Build();

    private static string Refused(TimeSpan retryAfter) => $"refused for {retryAfter.TotalSeconds:0}";

    private static CircuitVerdict Judge(string result) => result switch
    {
        "ok" => CircuitVerdict.Success,
        "gone" => CircuitVerdict.Neutral,
        "busy" => CircuitVerdict.FailureWithRetryAfter(TimeSpan.FromSeconds(77)),
        _ => CircuitVerdict.Failure,
    };

    private async Task<string> WithPermit(Func<CircuitPermit, string> callback)
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

    private async Task<string> Run(string result) => await _pipeline.ExecuteAsync(_ => ValueTask.FromResult(result), Cancellation);

    private sealed class Execution(Func<CircuitPermit, string> callback) : IPermitHolder
    {
        public CircuitPermit Permit { get; set; } = CircuitPermit.Uncounted;

        public string Run() => callback(Permit);
    }

    private sealed class Thrower : ResilienceStrategy<string>
    {
        protected override ValueTask<Outcome<string>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<string>>> callback, ResilienceContext context, TState state)
            => throw new InvalidOperationException("a strategy may throw past the outcome");
    }
}
