using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Management.Api;

internal enum CircuitAction
{
    Isolate,
    Close,
    Reset,
}

/// <summary>Who lays hands on a circuit. <paramref name="User"/> is what the caller says of itself, <paramref name="Remote"/> is known.</summary>
internal sealed record Operator(string User, string Remote);

/// <summary>Circuits moved by hand, each with one line in the log: who, when, why.</summary>
internal sealed partial class CircuitControl(CircuitRegistry circuits, RecentEvents recent, TimeProvider time, ILogger<CircuitControl> logger)
{
    public CircuitCell Apply(string clusterId, CircuitKind kind, CircuitAction action, Operator by, string why)
    {
        var cell = circuits.Get(clusterId)[kind];
        var before = cell.Status;
        var reason = action switch
        {
            CircuitAction.Isolate => CircuitTransitionReason.IsolatedByHand,
            CircuitAction.Close => CircuitTransitionReason.ClosedByHand,
            _ => CircuitTransitionReason.ResetByHand,
        };
        switch (action)
        {
            case CircuitAction.Isolate:
                cell.Isolate();
                break;
            case CircuitAction.Close:
                cell.Close();
                break;
            default:
                cell.Reset();
                break;
        }

        var after = cell.Status;
        Log(logger, GatewayMetrics.Label(kind), clusterId, Word(action), by.User, by.Remote, time.GetUtcNow(), why, GatewayMetrics.Label(before), GatewayMetrics.Label(after));
        recent.AddManual(clusterId, kind, new CircuitTransition(before, after, reason, TimeSpan.Zero), by.User, why);
        return cell;
    }

    public static string Word(CircuitAction action) => action switch
    {
        CircuitAction.Isolate => "isolate",
        CircuitAction.Close => "close",
        CircuitAction.Reset => "reset",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    [LoggerMessage(EventId = 10, EventName = "CircuitByHand", Level = LogLevel.Warning, Message =
        "circuit {Circuit} of cluster {Cluster}: {Action} by {Who} from {Remote} at {When:O}, why: {Why} ({From} to {To})")]
    private static partial void Log(ILogger logger, string circuit, string cluster, string action, string who, string remote, DateTimeOffset when, string why, string from, string to);
}
