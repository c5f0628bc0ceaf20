using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>
/// What both kinds of exchange with an agent have in common: past the cluster's limit and its circuit, to the one cluster there is.
/// There is no fallback: the conversation is in one agent, and another one does not know it.
/// </summary>
internal abstract class AgentRunner(AgentExchange exchange, RequestDelegate next, ExchangeServices services) : IExchangeRunner
{
    private readonly RouteModel _route = exchange.Http.Proxy().Route;

    protected AgentExchange Exchange { get; } = exchange;

    protected ExchangeServices Services { get; } = services;

    protected ClusterSettings Cluster => Exchange.Route.Cluster;

    public async ValueTask RunAsync()
    {
        if (FindCluster() is not { DestinationsState.AvailableDestinations.Count: > 0 } state)
        {
            await FailAsync(new Fault(FaultKind.NoDestination, FaultPhase.Connect));
            return;
        }

        var visit = await Services.Visits.RunAsync(Cluster, new Visit(this, state), Exchange.Client.Aborted);
        if (visit.End == VisitEnd.Full)
        {
            Services.Metrics.Overloaded(Cluster.ClusterId);
            await FailAsync(new Fault(FaultKind.Overloaded, FaultPhase.Connect));
        }
        else if (visit.End == VisitEnd.Refused)
        {
            Services.Metrics.CircuitRefused(Cluster.ClusterId);
            await FailAsync(new Fault(FaultKind.CircuitOpen, FaultPhase.Connect), visit.RetryAfter);
        }
    }

    public Task GiveUpAsync() => FailAsync(new Fault(FaultKind.GatewayError, FaultPhase.Connect));

    /// <summary>Asks the cluster and gives the exchange its ending. The verdict is for the cluster's circuit.</summary>
    protected abstract ValueTask<VisitResult> VisitAsync(CircuitPermit permit, ClusterState state);

    /// <summary>The cluster as it is configured now; null where it is no more.</summary>
    protected ClusterState? FindCluster() =>
        Services.Clusters.TryGetCluster(Cluster.ClusterId, out var found) ? found : null;

    /// <summary>Sends <paramref name="call"/> through the rest of YARP's pipeline.</summary>
    protected async Task<AttemptOutcome> CallAsync(AgentCall call, ClusterState state, AttemptMode mode, DestinationState? only, Action<AttemptRequest>? prepare = null)
    {
        Exchange.Attempts++;
        AttemptOutcome outcome;
        using (var request = AttemptRequest.PrepareRelay(Exchange, Cluster, state, _route, only))
        {
            prepare?.Invoke(request);
            outcome = await AttemptRunner.RunAsync(Exchange.Http, call, next);
        }

        Services.Metrics.Attempted(Exchange.RouteId, Cluster.ClusterId, mode, outcome.Result, outcome.Fault);
        return outcome;
    }

    /// <summary>An answer that the client has, or is given now where it had no body; what is left is to book it.</summary>
    protected async ValueTask<VisitResult> FinishAsync(CircuitPermit permit, AgentCall call, AttemptOutcome outcome, CircuitVerdict verdict)
    {
        permit.On(verdict);
        Exchange.Outcome = outcome.Result == AttemptResult.Complete ? ExchangeOutcome.Completed : ExchangeOutcome.Relayed;
        if (!call.IsPassing)
        {
            await call.PassAsync(default);
        }

        return new VisitResult(VisitEnd.Answered, verdict);
    }

    /// <summary>A call that broke off. Before anything was sent the client is told in an answer, later by the way the body ends.</summary>
    protected async ValueTask<VisitResult> BreakOffAsync(CircuitPermit permit, AttemptOutcome outcome)
    {
        var verdict = outcome.Result == AttemptResult.Failed ? CircuitVerdict.Failure : CircuitVerdict.Neutral;
        permit.On(verdict);
        if (outcome.Fault.Kind == FaultKind.ClientGone)
        {
            Exchange.Outcome = ExchangeOutcome.ClientGone;
        }
        else
        {
            await FailAsync(outcome.Fault);
        }

        return new VisitResult(VisitEnd.Answered, verdict);
    }

    protected async Task FailAsync(Fault fault, TimeSpan? circuitWait = null)
    {
        Exchange.Note(fault, Cluster.ClusterId);
        await Exchange.Client.TakeTurnAsync();
        if (Exchange.Client.Aborted.IsCancellationRequested)
        {
            Exchange.Outcome = ExchangeOutcome.ClientGone;
        }
        else if (!Exchange.Client.Committed)
        {
            Exchange.Outcome = Exchange.Attempts == 0 ? ExchangeOutcome.Rejected : ExchangeOutcome.Failed;
            await AgentAnswer.SendAsync(Exchange, FaultAnswer.For(fault, Exchange.Limits), FaultAnswer.RetryAfter(fault, circuitWait));
        }
        else
        {
            Exchange.Outcome = ExchangeOutcome.Terminated;
            await TerminateAsync(fault);
        }
    }

    /// <summary>Ends an answer that has begun so that the client notices.</summary>
    protected virtual Task TerminateAsync(Fault fault) => Exchange.Client.TerminateAsync(null);

    private sealed class Visit(AgentRunner runner, ClusterState state) : ClusterVisit
    {
        public override ValueTask<VisitResult> RunAsync() => runner.VisitAsync(Permit, state);
    }
}
