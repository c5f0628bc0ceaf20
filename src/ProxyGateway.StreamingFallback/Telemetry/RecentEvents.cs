using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>An exchange that did not simply succeed, as it ended. Says what the log line says; nothing of the request or the answer.</summary>
/// <remarks><c>Number</c>: rises with every new entry, and stays when the same is repeated. <c>Times</c>: how many alike in a row this stands for; above one for refusals by an open circuit only.</remarks>
internal sealed record RecentExchange(
    long Number,
    DateTimeOffset At,
    string RequestId,
    string RouteId,
    string ClusterId,
    Fault Fault,
    ExchangeOutcome Outcome,
    string AnsweredBy,
    int Attempts,
    TimeSpan Duration,
    long DeliveredBytes,
    int Times = 1);

/// <summary>A circuit that changed its state, or that somebody laid hands on.</summary>
/// <remarks><c>By</c>: null where nobody did.</remarks>
internal sealed record RecentCircuitChange(
    long Number,
    DateTimeOffset At,
    string ClusterId,
    CircuitKind Circuit,
    CircuitTransition Transition,
    string? By = null,
    string? Why = null);

/// <summary>What happened of late, for whoever looks at this replica. Lives as long as the process; holds no more than a few hundred entries.</summary>
internal sealed class RecentEvents
{
    /// <summary>How much of each is kept.</summary>
    public const int Capacity = 200;

    private readonly TimeProvider _time;
    private readonly EventRing<RecentExchange> _exchanges = new(Capacity);
    private readonly EventRing<RecentCircuitChange> _circuitChanges = new(Capacity);
    private long _number;

    public RecentEvents(CircuitRegistry circuits, TimeProvider time)
    {
        _time = time;
        circuits.Transitioned += OnTransition;
    }

    /// <summary>Raised on the thread of whoever happens to be there. A handler must be quick and must not throw.</summary>
    public event Action<RecentExchange>? ExchangeAdded;

    /// <inheritdoc cref="ExchangeAdded"/>
    public event Action<RecentCircuitChange>? CircuitChangeAdded;

    /// <summary>Newest first.</summary>
    public IReadOnlyList<RecentExchange> Exchanges => _exchanges.Latest();

    /// <summary>Newest first.</summary>
    public IReadOnlyList<RecentCircuitChange> CircuitChanges => _circuitChanges.Latest();

    public void Add(ClientExchange exchange)
    {
        if (exchange.FirstFault is not var (fault, cluster, _))
        {
            return;
        }

        var added = new RecentExchange(
            Interlocked.Increment(ref _number),
            _time.GetUtcNow(),
            exchange.RequestId,
            exchange.RouteId,
            cluster,
            fault,
            exchange.Outcome,
            exchange.Outcome is ExchangeOutcome.Recovered or ExchangeOutcome.Relayed ? exchange.ClusterId : "",
            exchange.Attempts,
            exchange.Time.GetElapsedTime(exchange.StartedAt),
            exchange.Client.BytesWritten);
        ExchangeAdded?.Invoke(_exchanges.Add(added, MergeRefusals));
    }

    /// <summary>What somebody did to a circuit, whether or not it changed the state.</summary>
    public void AddManual(string clusterId, CircuitKind circuit, CircuitTransition transition, string by, string why) =>
        Add(new RecentCircuitChange(Interlocked.Increment(ref _number), _time.GetUtcNow(), clusterId, circuit, transition, by, why));

    /// <summary>During an outage every request meets the same open circuit; a line for each would push out what led there.</summary>
    private static RecentExchange? MergeRefusals(RecentExchange newest, RecentExchange next) =>
        next.Fault.Kind == FaultKind.CircuitOpen
        && newest.Fault == next.Fault
        && newest.Outcome == next.Outcome
        && newest.RouteId == next.RouteId
        && newest.ClusterId == next.ClusterId
        && newest.AnsweredBy == next.AnsweredBy
            ? next with { Number = newest.Number, Times = newest.Times + 1 }
            : null;

    private void OnTransition(ClusterCircuitTransition t)
    {
        // Those by hand are added by whoever knows the hand.
        if (t.Transition.Reason is not (CircuitTransitionReason.IsolatedByHand or CircuitTransitionReason.ClosedByHand or CircuitTransitionReason.ResetByHand))
        {
            Add(new RecentCircuitChange(Interlocked.Increment(ref _number), _time.GetUtcNow(), t.ClusterId, t.Circuit, t.Transition));
        }
    }

    private void Add(RecentCircuitChange change) => CircuitChangeAdded?.Invoke(_circuitChanges.Add(change));
}
