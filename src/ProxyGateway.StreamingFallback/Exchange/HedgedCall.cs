using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Hedging;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// A streaming attempt and, where its first content is late, a second one beside it on another destination of the cluster. The
/// first to have something for the client goes on, the other is cancelled. Both have ended when it is over.
/// </summary>
/// <remarks>
/// The second attempt is the retry of the first, made early: if the first fails meanwhile, the second is waited for, and no
/// further attempt is made for that failure. If both fail, the first one's fault is what recovery goes by.
/// </remarks>
internal sealed class HedgedCall : IDisposable
{
    private readonly ChatExchange _exchange;
    private readonly PlannedCluster _cluster;
    private readonly ClusterState _state;
    private readonly RouteModel _route;
    private readonly ExchangeServices _services;
    private readonly ClusterLimits _limits;
    private readonly TimeSpan _delay;
    private readonly HttpContext _copy;
    private Attempt? _first;
    private int _placesTaken;

    private HedgedCall(ChatExchange exchange, PlannedCluster cluster, ClusterState state, RouteModel route, ExchangeServices services, TimeSpan delay)
    {
        (_exchange, _cluster, _state, _route, _services, _delay) = (exchange, cluster, state, route, services, delay);
        _limits = services.Visits.LimitsOf(cluster.Settings);
        _copy = RequestCopy.Of(exchange.Http);
    }

    public HedgeRace Race { get; } = new();

    /// <summary>The attempt that is the client's: the winner, or the first where both failed. Valid once the call is over.</summary>
    public Attempt Decisive => Race.Winner ?? _first!;

    /// <summary>The other attempt; null where there was only one.</summary>
    public Attempt? Other => Second is null ? null : ReferenceEquals(Decisive, Second) ? _first : Second;

    private Attempt? Second { get; set; }

    /// <summary>Null where the attempt that is about to be made cannot be hedged.</summary>
    public static HedgedCall? For(ChatExchange exchange, PlannedCluster cluster, ClusterState state, RouteModel route, ExchangeServices services, AttemptOrder order)
    {
        var settings = cluster.Settings.Hedging;
        if (!settings.Enabled)
        {
            return null;
        }

        var delay = HedgePolicy.DelayFor(new HedgeSituation
        {
            Settings = settings,
            Observed = services.Visits.LimitsOf(cluster.Settings).FirstContent.Percentile(settings.Percentile, settings.MinSamples),
            Mode = order.Mode,
            Delivered = exchange.DeliveredKind,
            RecoveryEnabled = exchange.Route.RecoveryEnabled,
            Replay = exchange.Route.ReplayOf(exchange.Request),
            AttemptsLeft = order.MaxAttempts - exchange.Attempts,
            AttemptsHere = order.AttemptsHere,
            IsProbe = exchange.ClusterPermit is { IsProbe: true } || order.StreamingPermit is { IsProbe: true },
            BindsClients = state.Model.Config.SessionAffinity is { Enabled: true },
            Destinations = state.DestinationsState.AvailableDestinations.Count,
        });
        return delay is { } wait ? new HedgedCall(exchange, cluster, state, route, services, wait) : null;
    }

    public async Task<AttemptOutcome> RunAsync(Attempt first, RequestDelegate next)
    {
        _first = first;
        Race.Begin(first);
        var asked = AttemptRunner.RunAsync(_exchange.Http, first, next);
        if (!await IsLateAsync(asked) || FindSecond(first) is not { } second)
        {
            return await asked is { Result: AttemptResult.Complete } && await first.TryWinWholeAsync() ? first.Outcome! : await asked;
        }

        Second = second;
        await Task.WhenAll(EndAsync(first, asked), EndAsync(second, AskAsync(second, first.Destination, next)));
        _services.Metrics.Hedged(
            _exchange.Route.RouteId,
            _cluster.Settings.ClusterId,
            Race.Winner is not { } winner ? HedgeResult.Failed : ReferenceEquals(winner, second) ? HedgeResult.Won : HedgeResult.Lost);
        // Who looks at the exchange from outside shall see where the answer came from.
        _exchange.Http.Proxy().ProxiedDestination = Decisive.Proxy?.ProxiedDestination;
        return Decisive.Outcome ?? throw new InvalidOperationException("The call is not over.");
    }

    public void Dispose()
    {
        Second?.Dispose();
        LeavePlace();
    }

    private async Task<bool> IsLateAsync(Task<AttemptOutcome> asked)
    {
        var late = new TaskCompletionSource();
        using var timer = _exchange.Time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), late, _delay, Timeout.InfiniteTimeSpan);
        return await Task.WhenAny(asked, late.Task) == late.Task
            && Race.Winner is null
            && !_exchange.Client.Aborted.IsCancellationRequested
            && !_exchange.Shutdown.IsCancellationRequested;
    }

    /// <summary>A second attempt that has what it takes: another destination, circuits that let it in, a place and a share of the budget. Null where it has not.</summary>
    private Attempt? FindSecond(Attempt first)
    {
        var settings = _cluster.Settings;
        var circuits = _services.Visits.CircuitsOf(settings);
        if (first.Destination is not { } taken
            || !_state.DestinationsState.AvailableDestinations.Any(d => d.DestinationId != taken)
            || (settings.CircuitBreaker.Enabled && circuits.Cluster.Status != CircuitStatus.Closed)
            || !circuits.Streaming.TryEnter(settings.CircuitBreaker, out var permit, out _))
        {
            return null;
        }

        if (permit.IsProbe || !_limits.Gate.TryEnter(settings.Concurrency))
        {
            permit.OnNeutral();
            return null;
        }

        _placesTaken = 1;
        if (!_limits.Budget.TrySpend(settings.Budget, settings.BudgetFloor))
        {
            _services.Metrics.BudgetExhausted(settings.ClusterId);
            permit.OnNeutral();
            LeavePlace();
            return null;
        }

        var second = new Attempt(_exchange, settings, AttemptMode.Streaming, isReplay: false) { Race = Race, StreamingPermit = permit };
        if (Race.TryJoin(second, () => _exchange.Attempts++))
        {
            return second;
        }

        permit.OnNeutral();
        second.Dispose();
        LeavePlace();
        return null;
    }

    private async Task<AttemptOutcome> AskAsync(Attempt second, string? avoid, RequestDelegate next)
    {
        using (AttemptRequest.Prepare(_exchange, _copy, _cluster, _state, AttemptMode.Streaming, _route, avoid))
        {
            return await AttemptRunner.RunAsync(_copy, second, next);
        }
    }

    private async Task EndAsync(Attempt attempt, Task<AttemptOutcome> running)
    {
        try
        {
            var outcome = await running;
            LeavePlace();
            if (outcome.Fault.Kind == FaultKind.HedgeLost)
            {
                attempt.ObserveLatencyAtLeast(attempt.Elapsed);
                if (ReferenceEquals(attempt, _first))
                {
                    _limits.FirstContent.Observe(_delay);
                }
            }
            else if (Race.Winner is null)
            {
                await SettleAsync(attempt, outcome);
            }
        }
        catch
        {
            Race.Abandon();
            throw;
        }
    }

    /// <summary>An attempt has ended and nobody has anything for the client yet.</summary>
    private async ValueTask SettleAsync(Attempt attempt, AttemptOutcome outcome)
    {
        if (outcome.Result == AttemptResult.Complete)
        {
            await attempt.TryWinWholeAsync();
        }
        else if (outcome.Result == AttemptResult.Answer && attempt.IsFirst)
        {
            // A client error is the answer, whoever else is asked.
            Race.TryWin(attempt);
        }
        else if (ReferenceEquals(attempt, _first))
        {
            Race.WhileOpen(() =>
            {
                _exchange.Note(outcome.Fault, _exchange.ClusterId);
                _exchange.Recovery = _cluster.IsFallback ? "fallback" : "replay";
                if (_exchange.RecoveryDeadline is { } deadline)
                {
                    Second!.SetDeadline(deadline);
                }
            });
        }
    }

    /// <summary>Two attempts are in flight only until one of them has ended.</summary>
    private void LeavePlace()
    {
        if (Interlocked.Exchange(ref _placesTaken, 0) == 1)
        {
            _limits.Gate.Leave();
        }
    }
}

/// <summary>What is known of an attempt before it is made.</summary>
/// <param name="Mode">How the cluster is to be asked.</param>
/// <param name="AttemptsHere">Attempts at the cluster in this exchange, this one included.</param>
/// <param name="MaxAttempts">Attempts the exchange may make in all.</param>
/// <param name="StreamingPermit">The streaming circuit's; null where it was not asked.</param>
internal readonly record struct AttemptOrder(AttemptMode Mode, int AttemptsHere, int MaxAttempts, CircuitPermit? StreamingPermit);
