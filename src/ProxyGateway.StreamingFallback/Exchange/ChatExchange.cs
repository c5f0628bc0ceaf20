using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.ClientStream;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// One client request and its one answer: what is known of it while attempts come and go. Used by one flow at a time; the
/// heartbeat's timer reads <see cref="Delivered"/> and writes through <see cref="Client"/> only.
/// </summary>
internal sealed class ChatExchange : IDisposable
{
    private long _maxGap = -1;

    public ChatExchange(HttpContext http, RouteSettings route, ChatRequest request, RequestBody body, TimeProvider time, CancellationToken shutdown)
    {
        Http = http;
        Route = route;
        Request = request;
        Body = body;
        Time = time;
        Shutdown = shutdown;
        StartedAt = time.GetTimestamp();
        Client = new ClientResponse(http, time);
    }

    public HttpContext Http { get; }

    public RouteSettings Route { get; }

    public LimitSettings Limits => Route.Limits;

    public ChatRequest Request { get; }

    public RequestBody Body { get; }

    public TimeProvider Time { get; }

    /// <summary>Set when the gateway stops and streams may not go on.</summary>
    public CancellationToken Shutdown { get; }

    public ClientResponse Client { get; }

    public long StartedAt { get; }

    public string RequestId { get; init; } = "";

    /// <summary>Who reads what the client has; null while no content was delivered.</summary>
    public ChatStreamReader? Delivered { get; set; }

    public DeliveredKind DeliveredKind => Delivered?.Delivered ?? DeliveredKind.Nothing;

    public int Attempts { get; set; }

    /// <summary>Whether a further attempt was refused because the cluster's retry budget is spent.</summary>
    public bool BudgetExhausted { get; set; }

    public bool IsFirstAttempt => Attempts == 1;

    /// <summary>The first fault: what client and log are told about, whatever comes after.</summary>
    public Fault? FirstFault { get; private set; }

    public string? FirstFaultCluster { get; private set; }

    /// <summary>When all recovery must be over (a timestamp); null while no attempt has failed.</summary>
    public long? RecoveryDeadline { get; private set; }

    public long? FaultedAt { get; private set; }

    /// <summary>The upstream's own error answer to the first attempt, if it is one that a client may see.</summary>
    public UpstreamAnswer? FirstAnswer { get; set; }

    /// <summary>The cluster that is asked, or was asked last.</summary>
    public string ClusterId { get; set; } = "";

    public long ContentEvents { get; private set; }

    /// <summary>When content last arrived from a streaming attempt (a timestamp); 0 while none has.</summary>
    public long LastContentAt { get; private set; }

    public TimeSpan? TimeToFirstContent { get; private set; }

    /// <summary>The longest wait between two pieces of content; null while there are none.</summary>
    public TimeSpan? MaxGap => _maxGap < 0 ? null : Time.GetElapsedTime(0, _maxGap);

    /// <summary>What the gateway added to an exchange whose first attempt had content; null for any other.</summary>
    public TimeSpan? Overhead { get; private set; }

    /// <summary>From the first fault to the first recovered byte; null while there is none.</summary>
    public TimeSpan? RecoveredAfter { get; private set; }

    /// <summary>The model that is asked for, or was last; null where the request names none.</summary>
    public string? AskedModel { get; set; }

    /// <summary>The exchange's span; null where nobody listens.</summary>
    public Activity? Span { get; init; }

    /// <summary>The span of the attempt that ended last: what a replay replays.</summary>
    public ActivityContext LastAttempt { get; set; }

    /// <summary>Where attempts are counted; null where nothing is.</summary>
    public GatewayMetrics? Metrics { get; init; }

    public CircuitPermit? ClusterPermit { get; set; }

    public ExchangeOutcome Outcome { get; set; } = ExchangeOutcome.Failed;

    public string Recovery { get; set; } = "none";

    /// <summary>Whether a replay goes to the client as it is.</summary>
    public bool AnswersAsJson => Route.ResponseFormat == ReplayResponseFormat.Json && !Client.Committed;

    public Heartbeat? Heartbeat { get; set; }

    public void Note(Fault fault, string clusterId)
    {
        // A cluster that was passed over is told about only if no attempt fails later.
        var isPassedOver = fault.Kind is FaultKind.CircuitOpen or FaultKind.Overloaded or FaultKind.NoDestination;
        if ((FirstFault is not null && (FaultedAt is not null || isPassedOver)) || fault.Kind.Side() == FaultSide.Client)
        {
            return;
        }

        FirstFault = fault;
        FirstFaultCluster = clusterId;
        if (fault.Kind.Side() == FaultSide.Upstream && fault.Kind != FaultKind.NoDestination)
        {
            FaultedAt = Time.GetTimestamp();
            RecoveryDeadline = FaultedAt.Value + (long)(Limits.RecoveryTimeout.TotalSeconds * Time.TimestampFrequency);
        }
    }

    public TimeSpan RecoveryTimeLeft => RecoveryDeadline is { } deadline
        ? Time.GetElapsedTime(Time.GetTimestamp(), deadline)
        : Limits.RecoveryTimeout;

    public void OnContent(long events, long at)
    {
        ContentEvents += events;
        if (LastContentAt != 0)
        {
            _maxGap = Math.Max(_maxGap, at - LastContentAt);
        }

        LastContentAt = at;
    }

    /// <summary>Events that were made from a replay went to the client.</summary>
    public void OnReplayedContent()
    {
        OnContent(0, Time.GetTimestamp());
        TimeToFirstContent ??= Time.GetElapsedTime(StartedAt);
        OnRecovered();
    }

    /// <summary>The first bytes after a fault went to the client.</summary>
    public void OnRecovered()
    {
        if (FaultedAt is { } faultedAt && RecoveredAfter is null)
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
        TimeToFirstContent ??= Time.GetElapsedTime(StartedAt);
        OnRecovered();
        var elapsed = attempt.Elapsed;
        attempt.ObserveLatency(elapsed);
        attempt.Times?.Observe(elapsed);
        ClusterPermit?.OnFirstContent(elapsed);
        attempt.StreamingPermit?.OnFirstContent(elapsed);
        Heartbeat?.Suspend();
    }

    /// <summary>Sets the answer's headers: the upstream's where there are some, then the gateway's own.</summary>
    public void SetHeaders(IHeaderDictionary headers, IHeaderDictionary? upstream)
    {
        if (upstream is not null)
        {
            foreach (var (name, value) in upstream)
            {
                if (!name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase)
                    && !name.Equals(HeaderNames.TransferEncoding, StringComparison.OrdinalIgnoreCase)
                    && !name.StartsWith("x-gateway-", StringComparison.OrdinalIgnoreCase))
                {
                    headers[name] = value;
                }
            }
        }

        headers[RequestIds.Header] = RequestId;
        if (Limits.ExposeServedBy)
        {
            headers["x-gateway-cluster"] = ClusterId;
            headers["x-gateway-attempts"] = Attempts.ToString(System.Globalization.CultureInfo.InvariantCulture);
            headers["x-gateway-recovery"] = Recovery;
        }
    }

    public void Dispose()
    {
        Delivered?.Dispose();
        FirstAnswer?.Body.Dispose();
        Body.Dispose();
    }
}

/// <summary>An upstream's own error answer, kept for the client.</summary>
internal sealed record UpstreamAnswer(int Status, List<KeyValuePair<string, StringValues>> Headers, PooledBuffer Body);
