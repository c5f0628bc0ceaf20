using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.Recovery;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// Carries one exchange from its plan to its ending.
/// </summary>
/// <remarks>
/// (1) Visit the plan's clusters in order; one with an open circuit, with no room or without a healthy destination is passed over.
///     Where all circuits are open, the one that closes soonest may be passed all the same.
/// (2) At a cluster, make an attempt through YARP's pipeline.
/// (3) Complete: write what is left of the answer; the exchange has its ending.
/// (4) Failed: ask the policy what comes next, and do it: relay, wait, same cluster, next cluster, give up.
/// (5) Give up: the loud ending if anything was sent, else an HTTP error that names the first fault.
/// The circuit hears its verdict before an ending, which may leave by an exception that says nothing of the upstream.
/// </remarks>
internal sealed class ExchangeRunner(ChatExchange exchange, RequestDelegate next, ExchangeServices services) : IExchangeRunner
{
    private static readonly VisitResult Answered = new(VisitEnd.Answered, CircuitVerdict.Success);

    private readonly RouteModel _route = exchange.Http.Proxy().Route;
    private readonly ExchangeEnding _ending = new(exchange);
    private readonly Heartbeat? _heartbeat = exchange.Heartbeat = exchange.Request.Streaming ? new Heartbeat(exchange) : null;
    private int _position;
    private int _clustersFailedOnRequest;
    private bool _failedOnRequestHere;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask RunAsync()
    {
        using (_heartbeat)
        {
            var plan = exchange.Plan;
            var mode = exchange.Request.Streaming ? AttemptMode.Streaming : AttemptMode.NonStreaming;
            PassedOver? passedOver = null;
            for (_position = 0; _position < plan.Count && !exchange.Client.Aborted.IsCancellationRequested; _position++)
            {
                var cluster = plan[_position];
                // (1)
                if (FindDestinations(cluster) is not { } state)
                {
                    exchange.Note(new Fault(FaultKind.NoDestination, FaultPhase.Connect), cluster.Settings.ClusterId);
                    (passedOver ??= new()).WithoutDestination();
                    continue;
                }

                var visit = await services.Visits.RunAsync(cluster.Settings, new Visit(this, cluster, state, mode, exchange.Limits.MaxAttempts), exchange.Client.Aborted);
                switch (visit.End)
                {
                    case VisitEnd.Answered:
                        return;
                    case VisitEnd.Refused:
                        services.Metrics.CircuitRefused(cluster.Settings.ClusterId);
                        exchange.Note(new Fault(FaultKind.CircuitOpen, FaultPhase.Connect), cluster.Settings.ClusterId);
                        (passedOver ??= new()).Refused(cluster, state, visit.RetryAfter, services.Visits.CircuitsOf(cluster.Settings).Cluster.Status == CircuitStatus.Isolated);
                        break;
                    case VisitEnd.Full:
                        services.Metrics.Overloaded(cluster.Settings.ClusterId);
                        exchange.Note(new Fault(FaultKind.Overloaded, FaultPhase.Connect), cluster.Settings.ClusterId);
                        break;
                    default:
                        mode = visit.NextMode;
                        break;
                }

                if (MustStop(visit.End, cluster))
                {
                    break;
                }
            }

            if (passedOver?.LeastBad(plan) is { } leastBad)
            {
                var lastResort = new Visit(this, leastBad.Cluster, leastBad.State, mode, maxAttempts: 1) { IsLastResort = true };
                if ((await services.Visits.RunAsync(leastBad.Cluster.Settings, lastResort, exchange.Client.Aborted)).End == VisitEnd.Answered)
                {
                    return;
                }
            }

            // (5)
            await _ending.GiveUpAsync(passedOver?.ShortestWait);
        }
    }

    public Task GiveUpAsync() => _ending.GiveUpAsync(null);

    private bool MustStop(VisitEnd end, PlannedCluster cluster) =>
        end == VisitEnd.GiveUp
        || exchange.Attempts >= exchange.Limits.MaxAttempts
        || exchange.Client.Aborted.IsCancellationRequested
        || (end == VisitEnd.Refused && cluster.Settings.OnOpen == OpenCircuitAction.Reject && !cluster.IsFallback);

    private ClusterState? FindDestinations(PlannedCluster cluster)
    {
        var state = _route.Cluster is { } own && own.ClusterId.Equals(cluster.Settings.ClusterId, StringComparison.OrdinalIgnoreCase)
            ? own
            : services.Clusters.TryGetCluster(cluster.Settings.ClusterId, out var found) ? found : null;
        return state?.DestinationsState.AvailableDestinations.Count > 0 ? state : null;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<VisitResult> VisitAsync(Visit visit)
    {
        var (cluster, mode) = (visit.Cluster, visit.Mode);
        exchange.ClusterPermit = visit.Permit;
        exchange.ClusterId = cluster.Settings.ClusterId;
        exchange.AskedModel = cluster.Model ?? exchange.Request.Model;
        var limits = visit.Around.Limits;
        var budget = limits.Budget;
        budget.OnExchange();
        _failedOnRequestHere = false;
        string? failedDestination = null;
        for (var attemptsHere = 1; ; attemptsHere++)
        {
            mode = StreamingCircuit.Enter(exchange, visit.Around.Circuits, cluster.Settings, mode, out var streaming);
            exchange.Attempts++;
            exchange.Recovery = cluster.IsFallback ? "fallback" : exchange.Attempts > 1 ? "replay" : "none";

            // (2)
            using var hedged = HedgedCall.For(exchange, cluster, visit.State, _route, services, new AttemptOrder(mode, attemptsHere, visit.MaxAttempts, streaming));
            using var first = new Attempt(exchange, cluster.Settings, mode, isReplay: exchange.RecoveryDeadline is not null || exchange.Request.Streaming)
            {
                IsFirst = exchange.IsFirstAttempt,
                StreamingPermit = streaming,
                Race = hedged?.Race,
                Times = cluster.Settings.Hedging.Enabled ? limits.FirstContent : null,
            };
            AttemptOutcome outcome;
            using (AttemptRequest.Prepare(exchange, exchange.Http, cluster, visit.State, mode, _route, failedDestination))
            {
                if (hedged is null)
                {
                    var forwarded = AttemptRunner.Begin(exchange.Http, first, next);
                    await forwarded.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    outcome = AttemptRunner.End(exchange.Http, first, forwarded);
                }
                else
                {
                    outcome = await hedged.RunAsync(first, next);
                }
            }

            var attempt = hedged?.Decisive ?? first;
            Book(attempt, outcome);
            if (hedged?.Other is { Outcome: { } other } beside)
            {
                Book(beside, other);
                // One that was cancelled for being late says nothing against asking here once more.
                attemptsHere += other.Result == AttemptResult.Cancelled ? 0 : 1;
            }

            // (3)
            if (outcome.Result == AttemptResult.Complete)
            {
                exchange.ClusterPermit.On(CircuitVerdict.Success);
                await _ending.CompleteAsync(attempt, services.Metrics);
                return Answered;
            }

            exchange.Note(outcome.Fault, exchange.ClusterId);
            NoteFailureOnRequest(outcome);
            if (attempt.PassedThrough && attempt.Delivering)
            {
                exchange.ClusterPermit.On(Judge(outcome, cluster));
                await _ending.BreakOffAsync(outcome);
                return new VisitResult(VisitEnd.Answered, Judge(outcome, cluster));
            }

            if (outcome.Result == AttemptResult.Answer && attempt.IsFirst && attempt.Truncated is false)
            {
                _ending.KeepFirstAnswer(attempt);
            }
            else if (attempt.IsFirst && outcome.Fault is { Kind: FaultKind.HttpStatus, Status: < 500 })
            {
                _ending.KeepFirstAnswer(attempt);
            }

            // (4)
            if (attempt.Delivering && attempt.Rest.Length > 0)
            {
                // A last event that lacked only its blank line: it counts as delivered, so it must be.
                await attempt.DeliverRestAsync();
            }

            _heartbeat?.Resume();
            var decision = Decide(Describe(attempt, outcome, visit, attemptsHere), budget, cluster.Settings);
            switch (decision.Step)
            {
                case RecoveryStep.Relay:
                    exchange.ClusterPermit.On(CircuitVerdict.Neutral);
                    await _ending.RelayAsync();
                    return new VisitResult(VisitEnd.Answered, CircuitVerdict.Neutral);
                case RecoveryStep.NextCluster:
                    return new VisitResult(VisitEnd.GoOn, Judge(outcome, cluster), decision.Mode);
                case RecoveryStep.GiveUp:
                    return new VisitResult(VisitEnd.GiveUp, Judge(outcome, cluster));
            }

            mode = decision.Mode;
            failedDestination = attempt.Destination;
            if (!await WaitAsync(decision.Delay, outcome.Fault.RetryAfter is not null))
            {
                return new VisitResult(VisitEnd.GiveUp, Judge(outcome, cluster));
            }
        }
    }

    /// <summary>An attempt is over: what its metrics, its streaming circuit and its destination learn of it.</summary>
    private void Book(Attempt attempt, AttemptOutcome outcome)
    {
        services.Metrics.Attempted(exchange.Route.RouteId, exchange.ClusterId, attempt.Mode, outcome.Result, outcome.Fault);
        StreamingCircuit.Leave(attempt, outcome);
        if (outcome.Result == AttemptResult.Failed && attempt.Mode == AttemptMode.Streaming && !attempt.Delivering)
        {
            // Failing fast must not make a destination look quick.
            attempt.ObserveLatency(attempt.Cluster.FirstContentTimeout);
        }
    }

    private void NoteFailureOnRequest(AttemptOutcome outcome)
    {
        if (!_failedOnRequestHere && !outcome.IsClientError && outcome.Fault.MayBeTheRequest())
        {
            _failedOnRequestHere = true;
            _clustersFailedOnRequest++;
        }
    }

    /// <summary>
    /// A further attempt at the same cluster is paid from its budget before it is made, so that no two exchanges spend the last
    /// of it. Another cluster is asked in any case, but that is charged too: who leaves a cluster leaves it less to spend on.
    /// </summary>
    private RecoveryDecision Decide(in RecoverySituation situation, RetryBudget budget, ClusterSettings cluster)
    {
        var decision = RecoveryPolicy.Decide(situation);
        if (decision.Step == RecoveryStep.SameCluster && !budget.TrySpend(cluster.Budget, cluster.BudgetFloor))
        {
            services.Metrics.BudgetExhausted(cluster.ClusterId);
            exchange.BudgetExhausted = true;
            decision = RecoveryPolicy.Decide(situation with { BudgetLeft = false });
        }

        if (decision.Step == RecoveryStep.NextCluster)
        {
            budget.Spend();
        }

        return decision;
    }

    private RecoverySituation Describe(Attempt attempt, AttemptOutcome outcome, Visit visit, int attemptsHere) => new()
    {
        Fault = outcome.Fault,
        IsFirstAttempt = attempt.IsFirst,
        IsClientError = outcome.IsClientError,
        Mode = attempt.Mode,
        ClientStreaming = exchange.Request.Streaming,
        Delivered = exchange.DeliveredKind,
        CanSplice = exchange.Delivered?.CanSplice ?? true,
        Enabled = exchange.Route.RecoveryEnabled,
        Replay = exchange.Route.ReplayOf(exchange.Request),
        OnMidStreamFailure = exchange.Route.OnMidStreamFailure,
        AttemptsLeft = visit.MaxAttempts - exchange.Attempts,
        AttemptsHere = attemptsHere,
        DeliveredHere = attempt.Delivering,
        IsFallbackCluster = visit.Cluster.IsFallback,
        AnotherClusterLeft = _position + 1 < exchange.Plan.Count,
        BudgetLeft = true,
        IsProbe = exchange.ClusterPermit is { IsProbe: true },
        ClustersFailedOnRequest = _clustersFailedOnRequest,
        TimeLeft = exchange.RecoveryTimeLeft,
        MaxRetryAfter = visit.Cluster.Settings.MaxRetryAfter,
        Backoff = visit.Cluster.Settings.Backoff,
    };

    /// <summary>What a failed visit says about the cluster. A wait the upstream asked for, and that is too long for us, keeps its circuit open as long.</summary>
    private static CircuitVerdict Judge(AttemptOutcome outcome, PlannedCluster cluster) =>
        outcome.Fault.Kind.Side() != FaultSide.Upstream || outcome.IsClientError ? CircuitVerdict.Neutral
        : outcome.Fault.RetryAfter is { } wait && wait > cluster.Settings.MaxRetryAfter ? CircuitVerdict.FailureWithRetryAfter(wait)
        : CircuitVerdict.Failure;

    /// <summary>False where the client left or the time for recovery ended meanwhile.</summary>
    private async Task<bool> WaitAsync(TimeSpan delay, bool exact)
    {
        if (delay <= TimeSpan.Zero)
        {
            return !exchange.Client.Aborted.IsCancellationRequested && !exchange.Shutdown.IsCancellationRequested;
        }

        // Full jitter would come back too early for an upstream that named its time.
        var wait = exact ? delay : delay * (0.75 + (Random.Shared.NextDouble() / 2));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(exchange.Client.Aborted, exchange.Shutdown);
        try
        {
            await Task.Delay(wait, exchange.Time, either.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        return exchange.RecoveryTimeLeft > TimeSpan.Zero;
    }

    /// <summary>All attempts of the exchange at one cluster.</summary>
    /// <param name="runner">Who makes them.</param>
    /// <param name="cluster">Where.</param>
    /// <param name="state">The same, as YARP knows it.</param>
    /// <param name="mode">How the first of them asks.</param>
    /// <param name="maxAttempts">How many attempts the exchange may have made in all, these included.</param>
    private sealed class Visit(ExchangeRunner runner, PlannedCluster cluster, ClusterState state, AttemptMode mode, int maxAttempts) : ClusterVisit
    {
        public PlannedCluster Cluster => cluster;

        public ClusterState State => state;

        public AttemptMode Mode => mode;

        public int MaxAttempts => maxAttempts;

        public override ValueTask<VisitResult> RunAsync() => runner.VisitAsync(this);
    }
}
