using System.Collections.Frozen;
using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Limits;
using Xunit;

namespace ProxyGateway.Tests.Exchange;

/// <summary>What a visit to a cluster leaves behind, however it ends: a verdict at the circuit and its place at the gate.</summary>
public sealed class ClusterVisitsTests
{
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly ClusterVisits _visits;
    private readonly ClusterSettings _cluster = ClusterSettings.From(
        "agent",
        new ClusterFallbackOptions { CircuitBreaker = { BreakJitter = 0 }, Concurrency = { Limit = 1, Queue = 0 } },
        FrozenDictionary<string, string>.Empty);

    public ClusterVisitsTests() => _visits = new ClusterVisits(new CircuitRegistry(_time), new LimitRegistry(_time));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private CircuitCell Circuit => _visits.CircuitsOf(_cluster).Cluster;

    [Fact]
    public async Task FailedVisits_OpenTheCircuitAndTheNextIsRefusedUnmade()
    {
        await OpenAsync();
        var made = false;
        var refused = await RunAsync(_ => { made = true; return Answered(CircuitVerdict.Success); });
        Assert.Equal((VisitEnd.Refused, Break, false), (refused.End, refused.RetryAfter, made));
    }

    [Fact]
    public async Task VerdictWithRetryAfter_OpensForThatLong()
    {
        await RunAsync(_ => Answered(CircuitVerdict.FailureWithRetryAfter(TimeSpan.FromSeconds(77))));
        Assert.Equal(TimeSpan.FromSeconds(77), (await RunAsync(_ => Answered(CircuitVerdict.Success))).RetryAfter);
    }

    [Fact]
    public async Task NeutralVisitOfAProbe_GivesTheSlotBack()
    {
        await OpenAsync();
        _time.Advance(Break);
        Assert.Equal(VisitEnd.Answered, (await RunAsync(_ => Answered(CircuitVerdict.Neutral))).End);
        Assert.Equal(VisitEnd.Answered, (await RunAsync(_ => Answered(CircuitVerdict.Success))).End);
        Assert.Equal(CircuitStatus.Closed, Circuit.Status);
    }

    [Theory]
    [InlineData(false, true, CircuitStatus.Open)]
    [InlineData(true, true, CircuitStatus.HalfOpen)]
    [InlineData(false, false, CircuitStatus.Open)]
    [InlineData(true, false, CircuitStatus.HalfOpen)]
    public async Task ExceptionOfAProbe_FailsUnlessItIsACancellationAndLeavesNothingBehind(bool cancelled, bool later, object expected)
    {
        await OpenAsync();
        _time.Advance(Break);
        Exception exception = cancelled ? new TaskCanceledException() : new IOException();
        var visit = new Visit(async _ =>
        {
            if (later)
            {
                await Task.Yield();
            }

            throw exception;
        });
        Assert.Same(exception, await Record.ExceptionAsync(async () => await _visits.RunAsync(_cluster, visit, Cancellation)));
        Assert.Equal(((CircuitStatus)expected, 0), (Circuit.Status, Circuit.Snapshot().Probes));
        // Its place is free again: there is one.
        _time.Advance(Break * 2);
        Assert.Equal(VisitEnd.Answered, (await RunAsync(_ => Answered(CircuitVerdict.Success))).End);
    }

    [Fact]
    public async Task EarlyVerdict_StandsAgainstTheResult()
    {
        await RunAsync(permit =>
        {
            permit.OnNeutral();
            return Answered(CircuitVerdict.Failure);
        });
        Assert.Equal(0, Circuit.Snapshot().FailuresInARow);
    }

    [Fact]
    public async Task LastResort_PassesAnOpenCircuitAndCountsNothing()
    {
        await OpenAsync();
        var visit = new Visit(_ => ValueTask.FromResult(Answered(CircuitVerdict.Success))) { IsLastResort = true };
        Assert.Equal(VisitEnd.Answered, (await _visits.RunAsync(_cluster, visit, Cancellation)).End);
        Assert.Equal(CircuitStatus.Open, Circuit.Status);
    }

    private static VisitResult Answered(CircuitVerdict verdict) => new(VisitEnd.Answered, verdict);

    private async Task OpenAsync()
    {
        for (var i = 0; i < _cluster.CircuitBreaker.FailureThreshold; i++)
        {
            await RunAsync(_ => Answered(CircuitVerdict.Failure));
        }

        Assert.Equal(CircuitStatus.Open, Circuit.Status);
    }

    private async Task<VisitResult> RunAsync(Func<CircuitPermit, VisitResult> make) =>
        await _visits.RunAsync(_cluster, new Visit(permit => ValueTask.FromResult(make(permit))), Cancellation);

    private sealed class Visit(Func<CircuitPermit, ValueTask<VisitResult>> make) : ClusterVisit
    {
        public override ValueTask<VisitResult> RunAsync() => make(Permit);
    }
}
