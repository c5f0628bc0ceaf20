using ProxyGateway.StreamingFallback.ChatFormats;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>One failure of one attempt, with all that is said about it anywhere.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Phase">How far the attempt had come.</param>
/// <param name="Status">The upstream's status where it gave one, else 0.</param>
/// <param name="Complaint">What the upstream's error was about, where it sent one.</param>
/// <param name="RetryAfter">How long the upstream asked to be left alone.</param>
internal readonly record struct Fault(
    FaultKind Kind,
    FaultPhase Phase,
    int Status = 0,
    UpstreamComplaint Complaint = UpstreamComplaint.None,
    TimeSpan? RetryAfter = null);

/// <summary>What each kind of fault means to the client, the breaker, the log and the metrics: one table, exhaustive.</summary>
internal static class FaultVocabulary
{
    public static FaultSide Side(this FaultKind kind) => kind switch
    {
        FaultKind.None => FaultSide.None,
        FaultKind.ClientGone or FaultKind.SlowClient => FaultSide.Client,
        FaultKind.CircuitOpen or FaultKind.Overloaded or FaultKind.OwnLimit or FaultKind.RecoveryTimeout or FaultKind.Shutdown or FaultKind.HedgeLost or FaultKind.GatewayError => FaultSide.Gateway,
        _ => FaultSide.Upstream,
    };

    /// <summary>The label in metrics and the word in logs.</summary>
    public static string Label(this FaultKind kind) => kind switch
    {
        FaultKind.None => "none",
        FaultKind.ConnectFailed => "connect_failed",
        FaultKind.ConnectTimeout => "connect_timeout",
        FaultKind.TlsFailed => "tls_failed",
        FaultKind.ConnectionReset => "connection_reset",
        FaultKind.ResponseHeadersTimeout => "response_headers_timeout",
        FaultKind.FirstContentTimeout => "first_content_timeout",
        FaultKind.IdleTimeout => "idle_timeout",
        FaultKind.AnswerTimeout => "answer_timeout",
        FaultKind.ReplayTimeout => "replay_timeout",
        FaultKind.HttpStatus => "http_status",
        FaultKind.WrongContentType => "wrong_content_type",
        FaultKind.ErrorBody => "error_body",
        FaultKind.ErrorEvent => "error_event",
        FaultKind.EndedEarly => "ended_early",
        FaultKind.EndedWithoutTerminal => "ended_without_terminal",
        FaultKind.EmptyStream => "empty_stream",
        FaultKind.MalformedEvents => "malformed_events",
        FaultKind.BrokenToolCall => "broken_tool_call",
        FaultKind.EventTooLarge => "event_too_large",
        FaultKind.ReplayUnusable => "replay_unusable",
        FaultKind.Divergence => "divergence",
        FaultKind.NoDestination => "no_destination",
        FaultKind.CircuitOpen => "circuit_open",
        FaultKind.Overloaded => "overloaded",
        FaultKind.ClientGone => "client_gone",
        FaultKind.SlowClient => "slow_client",
        FaultKind.OwnLimit => "own_limit",
        FaultKind.RecoveryTimeout => "recovery_timeout",
        FaultKind.Shutdown => "shutdown",
        FaultKind.HedgeLost => "hedge_lost",
        FaultKind.GatewayError => "gateway_error",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    public static string Label(this FaultPhase phase) => phase switch
    {
        FaultPhase.Connect => "connect",
        FaultPhase.Headers => "headers",
        FaultPhase.FirstContent => "first_content",
        FaultPhase.Content => "content",
        FaultPhase.Replay => "replay",
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, null),
    };

    /// <summary>The error code the client sees.</summary>
    public static string Code(this FaultKind kind) => kind switch
    {
        FaultKind.ConnectFailed or FaultKind.TlsFailed or FaultKind.NoDestination => "upstream_unreachable",
        FaultKind.ConnectTimeout or FaultKind.ResponseHeadersTimeout or FaultKind.FirstContentTimeout or FaultKind.IdleTimeout
            or FaultKind.AnswerTimeout or FaultKind.ReplayTimeout or FaultKind.RecoveryTimeout => "upstream_timeout",
        FaultKind.ConnectionReset or FaultKind.EndedEarly or FaultKind.EndedWithoutTerminal or FaultKind.EmptyStream
            or FaultKind.BrokenToolCall => "upstream_truncated",
        FaultKind.CircuitOpen => "circuit_open",
        FaultKind.Shutdown => "shutting_down",
        FaultKind.Overloaded or FaultKind.OwnLimit => "overloaded",
        FaultKind.GatewayError or FaultKind.HedgeLost => "internal_error",
        _ => "upstream_error",
    };

    /// <summary>A sentence for the client. The gateway's own words only.</summary>
    public static string Sentence(this in Fault fault) => fault.Kind switch
    {
        FaultKind.ConnectFailed => "The upstream could not be reached.",
        FaultKind.ConnectTimeout => "The upstream did not accept a connection in time.",
        FaultKind.TlsFailed => "The upstream's TLS handshake failed.",
        FaultKind.ConnectionReset => "The upstream closed the connection before it answered.",
        FaultKind.ResponseHeadersTimeout => "The upstream sent no response headers in time.",
        FaultKind.FirstContentTimeout => "The upstream sent no content in time.",
        FaultKind.IdleTimeout => "The upstream fell silent in the middle of the answer.",
        FaultKind.AnswerTimeout => "The upstream did not finish its answer in time.",
        FaultKind.ReplayTimeout => "The upstream did not finish the replayed answer in time.",
        FaultKind.HttpStatus => $"The upstream answered with status {fault.Status}.",
        FaultKind.WrongContentType => "The upstream answered with something that is no event stream.",
        FaultKind.ErrorBody => "The upstream answered with an error in place of the answer.",
        FaultKind.ErrorEvent => "The upstream reported an error in the middle of the stream.",
        FaultKind.EndedEarly => "The upstream broke off in the middle of the answer.",
        FaultKind.EndedWithoutTerminal => "The upstream ended the stream before the answer was complete.",
        FaultKind.EmptyStream => "The upstream ended the stream without any content.",
        FaultKind.MalformedEvents => "The upstream sent events that cannot be read.",
        FaultKind.BrokenToolCall => "The upstream ended a tool call whose arguments are incomplete.",
        FaultKind.EventTooLarge => "The upstream sent an event that is too large.",
        FaultKind.ReplayUnusable => "The upstream's replayed answer is unusable.",
        FaultKind.Divergence => "The upstream broke off, and its replayed answer differs from what was delivered.",
        FaultKind.NoDestination => "No healthy upstream is available.",
        FaultKind.CircuitOpen => "The upstream failed repeatedly and is not asked for a while.",
        FaultKind.Overloaded => "Too many requests are in flight.",
        FaultKind.RecoveryTimeout => "The answer could not be recovered in time.",
        FaultKind.Shutdown => "The gateway is shutting down.",
        FaultKind.OwnLimit => "The gateway has reached a limit of its own.",
        FaultKind.SlowClient => "The client did not read the answer.",
        FaultKind.ClientGone => "The client left.",
        FaultKind.HedgeLost => "Another destination answered sooner.",
        FaultKind.GatewayError => "The gateway failed.",
        FaultKind.None => "",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault.Kind, null),
    };

    /// <summary>Whether a clock fired: such a failure is answered 504.</summary>
    public static bool IsTimeout(this FaultKind kind) => kind.Code() == "upstream_timeout";

    /// <summary>Whether the request certainly never reached an agent.</summary>
    public static bool NeverArrived(this FaultKind kind) => kind is FaultKind.ConnectFailed or FaultKind.ConnectTimeout
        or FaultKind.TlsFailed or FaultKind.NoDestination or FaultKind.CircuitOpen or FaultKind.Overloaded;

    /// <summary>
    /// Whether the request itself may be what the upstream failed on: it got there, and the upstream did not say that it is
    /// busy or what it cannot take.
    /// </summary>
    public static bool MayBeTheRequest(this in Fault fault) => fault.Kind.Side() == FaultSide.Upstream
        && !fault.Kind.NeverArrived()
        && fault is { Status: not (429 or 503 or 529), RetryAfter: null, Complaint: not UpstreamComplaint.ContextLengthExceeded }
        && fault.Kind != FaultKind.Divergence;

    /// <summary>Whether the upstream stayed silent: asking it again would only wait again.</summary>
    public static bool IsSilence(this FaultKind kind) => kind is FaultKind.ResponseHeadersTimeout or FaultKind.FirstContentTimeout
        or FaultKind.ConnectTimeout or FaultKind.AnswerTimeout or FaultKind.ReplayTimeout;
}
