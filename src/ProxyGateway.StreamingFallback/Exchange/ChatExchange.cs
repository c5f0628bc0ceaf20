using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Limits;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// One client request and its one answer: what is known of it while attempts come and go. Used by one flow at a time; the
/// heartbeat's timer reads <see cref="Delivered"/> and writes through <see cref="ClientExchange.Client"/> only.
/// </summary>
internal sealed class ChatExchange : ClientExchange
{
    private const int AlwaysKept = 64 * 1024;

    private int _reservedText;

    public ChatExchange(HttpContext http, RouteSettings route, ChatRequest request, RequestBody body, TimeProvider time, CancellationToken shutdown)
        : base(http, route.RouteId, route.Limits, time)
    {
        Route = route;
        Request = request;
        Body = body;
        Shutdown = shutdown;
    }

    public RouteSettings Route { get; }

    /// <summary>The clusters that may be asked, in order; at least one.</summary>
    public required IReadOnlyList<PlannedCluster> Plan { get; init; }

    public ChatRequest Request { get; }

    public override bool IsStreaming => Request.Streaming;

    public override long BodyBytes => Body.Length;

    public override long DeliveredBytes => Delivered?.KeptBytes ?? 0;

    public RequestBody Body { get; }

    /// <summary>Set when the gateway stops and streams may not go on.</summary>
    public CancellationToken Shutdown { get; }

    /// <summary>What this exchange's bodies are charged to.</summary>
    public MemoryShare Memory { get; init; }

    /// <summary>What the text that is kept for a splice is charged to.</summary>
    public MemoryShare TextMemory { get; init; }

    /// <summary>Who reads what the client has; null while no content was delivered.</summary>
    public ChatStreamReader? Delivered { get; set; }

    public DeliveredKind DeliveredKind => Delivered?.Delivered ?? DeliveredKind.Nothing;

    /// <summary>Whether a further attempt was refused because the cluster's retry budget is spent.</summary>
    public bool BudgetExhausted { get; set; }

    public bool IsFirstAttempt => Attempts == 1;

    /// <summary>When all recovery must be over (a timestamp); null while no attempt has failed.</summary>
    public long? RecoveryDeadline => FirstFault?.At + (long)(Limits.RecoveryTimeout.TotalSeconds * Time.TimestampFrequency);

    /// <summary>The upstream's own error answer to the first attempt, if it is one that a client may see.</summary>
    public UpstreamAnswer? FirstAnswer { get; set; }

    /// <summary>From the first fault to the first recovered byte; null while there is none.</summary>
    public TimeSpan? RecoveredAfter { get; private set; }

    /// <summary>The model that is asked for, or was last; null where the request names none.</summary>
    public string? AskedModel { get; set; }

    /// <summary>The exchange's span; null where nobody listens.</summary>
    public Activity? Span { get; set; }

    /// <summary>The span of the attempt that ended last: what a replay replays. Null where nobody listens.</summary>
    public Activity? LastAttempt { get; set; }

    /// <summary>Where attempts are counted; null where nothing is.</summary>
    public GatewayMetrics? Metrics { get; init; }

    public CircuitPermit? ClusterPermit { get; set; }

    /// <summary>Whether a whole answer goes to the client as it is: a replay, or what came in place of a stream. What was asked for whole from the start is neither, for no stream has failed.</summary>
    public bool AnswersAsJson(AttemptMode asked) =>
        Route.ResponseFormat == ReplayResponseFormat.Json && (asked == AttemptMode.Streaming || FirstFault is not null) && !Client.Committed;

    public Heartbeat? Heartbeat { get; set; }

    /// <summary>
    /// How much delivered text a reader may keep: the configured most, reserved as a whole, for nobody knows how long an answer
    /// becomes; where memory does not allow that for one stream more, what all but the longest answers need.
    /// </summary>
    public int ReserveText()
    {
        var bytes = Limits.MaxDeliveredBytes;
        if (bytes <= AlwaysKept || Volatile.Read(ref _reservedText) > 0)
        {
            return bytes;
        }

        if (!TextMemory.TryTake(bytes))
        {
            return AlwaysKept;
        }

        if (Interlocked.CompareExchange(ref _reservedText, bytes, 0) != 0)
        {
            // A hedge has done so at the same moment.
            TextMemory.Return(bytes);
        }

        return bytes;
    }

    public TimeSpan RecoveryTimeLeft => RecoveryDeadline is { } deadline
        ? Time.GetElapsedTime(Time.GetTimestamp(), deadline)
        : Limits.RecoveryTimeout;

    /// <summary>Events that were made from a replay went to the client.</summary>
    public void OnReplayedContent()
    {
        OnContent(0, Time.GetTimestamp());
        OnRecovered();
    }

    /// <summary>The first bytes after a fault went to the client.</summary>
    public void OnRecovered()
    {
        if (FirstFault?.At is { } faultedAt && RecoveredAfter is null)
        {
            RecoveredAfter = Time.GetElapsedTime(faultedAt);
            Span?.AddEvent(GatewayTracing.Recovery(this));
        }
    }

    /// <summary>The answer, or its first content, arrived at <paramref name="arrivedAt"/> and is with the client's connection now.</summary>
    public void OnAnswered(Attempt attempt, long arrivedAt)
    {
        if (IsFirstAttempt && FirstFault is null && attempt.SentAt != 0 && Overhead is null)
        {
            Overhead = Time.GetElapsedTime(StartedAt, attempt.SentAt) + Time.GetElapsedTime(arrivedAt);
        }
    }

    public void OnFirstContent(Attempt attempt, long events, long at)
    {
        OnContent(events, at);
        OnRecovered();
        var elapsed = attempt.Elapsed;
        attempt.ObserveLatency(elapsed);
        attempt.Times?.Observe(elapsed);
        ClusterPermit?.OnFirstContent(elapsed);
        attempt.StreamingPermit?.OnFirstContent(elapsed);
        Heartbeat?.Suspend();
    }

    public override void Dispose()
    {
        GatewayTracing.Ended(this);
        Span?.Dispose();
        TextMemory.Return(_reservedText);
        _reservedText = 0;
        Delivered?.Dispose();
        FirstAnswer?.Body.Dispose();
        Body.Dispose();
    }
}

/// <summary>An upstream's own error answer, kept for the client.</summary>
internal sealed record UpstreamAnswer(int Status, HeaderDictionary Headers, PooledBuffer Body);
