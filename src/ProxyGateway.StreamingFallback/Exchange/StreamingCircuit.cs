using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>What an attempt has to do with its cluster's streaming circuit.</summary>
internal static class StreamingCircuit
{
    /// <summary>While only its streaming circuit is open, a cluster is asked non-streaming and the client's stream is made from the answer.</summary>
    public static AttemptMode Enter(ChatExchange exchange, ClusterCircuits circuits, ClusterSettings cluster, AttemptMode mode, out CircuitPermit? permit)
    {
        permit = null;
        if (mode != AttemptMode.Streaming || exchange.Route.Replay == ReplayPolicy.Never || !exchange.Route.RecoveryEnabled)
        {
            return mode;
        }

        if (!circuits.Streaming.TryEnter(cluster.CircuitBreaker, out var given, out _))
        {
            return AttemptMode.NonStreaming;
        }

        permit = given;
        return mode;
    }

    public static void Leave(Attempt attempt, AttemptOutcome outcome)
    {
        if (attempt.StreamingPermit is not { } permit)
        {
            return;
        }

        if (outcome.Result == AttemptResult.Complete && attempt.Reader is not null)
        {
            permit.OnSuccess();
        }
        else if (outcome.Result == AttemptResult.Failed && attempt.Reader is not null)
        {
            permit.OnFailure();
        }
        else
        {
            permit.OnNeutral(); // It never came to a stream.
        }
    }
}
