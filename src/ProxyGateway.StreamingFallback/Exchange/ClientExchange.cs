using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.ClientStream;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// One client request and its one answer, whatever is spoken: what the log, the metrics and the status page want to know of it.
/// Used by one flow at a time; others read.
/// </summary>
internal abstract class ClientExchange : IAnswerHeaders, IDisposable
{
    private long _maxGap = -1;

    protected ClientExchange(HttpContext http, string routeId, LimitSettings limits, TimeProvider time)
    {
        Http = http;
        RouteId = routeId;
        Limits = limits;
        Time = time;
        StartedAt = time.GetTimestamp();
        Client = new ClientResponse(http, time, this);
    }

    public HttpContext Http { get; }

    public string RouteId { get; }

    public LimitSettings Limits { get; }

    public TimeProvider Time { get; }

    public ClientResponse Client { get; }

    public long StartedAt { get; }

    public string RequestId { get; init; } = "";

    /// <summary>Whether the client asked for a stream.</summary>
    public abstract bool IsStreaming { get; }

    /// <summary>Bytes of the request that are kept for a replay.</summary>
    public virtual long BodyBytes => 0;

    /// <summary>Bytes that are kept of what was delivered.</summary>
    public virtual long DeliveredBytes => 0;

    public int Attempts { get; set; }

    /// <summary>The cluster that is asked, or was asked last.</summary>
    public string ClusterId { get; set; } = "";

    /// <summary>The first fault: what client and log are told about, whatever comes after.</summary>
    public NotedFault? FirstFault { get; private set; }

    public long ContentEvents { get; private set; }

    /// <summary>When content last arrived from a streaming attempt (a timestamp); 0 while none has.</summary>
    public long LastContentAt { get; private set; }

    public TimeSpan? TimeToFirstContent { get; private set; }

    /// <summary>The longest wait between two pieces of content; null while there are none.</summary>
    public TimeSpan? MaxGap => _maxGap < 0 ? null : Time.GetElapsedTime(0, _maxGap);

    /// <summary>What the gateway added to an exchange whose first attempt had content; null for any other.</summary>
    public TimeSpan? Overhead { get; protected set; }

    public ExchangeOutcome Outcome { get; set; } = ExchangeOutcome.Failed;

    public string Recovery { get; set; } = "none";

    public void Note(Fault fault, string clusterId)
    {
        // A cluster that was passed over is told about only if no attempt fails later.
        var isPassedOver = fault.Kind is FaultKind.CircuitOpen or FaultKind.Overloaded or FaultKind.NoDestination;
        if ((FirstFault is { } first && (first.At is not null || isPassedOver)) || fault.Kind.Side() == FaultSide.Client)
        {
            return;
        }

        FirstFault = new NotedFault(fault, clusterId, fault.Kind.Side() == FaultSide.Upstream && fault.Kind != FaultKind.NoDestination ? Time.GetTimestamp() : null);
    }

    public void OnContent(long events, long at)
    {
        ContentEvents += events;
        if (LastContentAt != 0)
        {
            _maxGap = Math.Max(_maxGap, at - LastContentAt);
        }
        else
        {
            TimeToFirstContent = Time.GetElapsedTime(StartedAt);
        }

        LastContentAt = at;
    }

    /// <summary>The exchange has its ending, and nobody looks at it any more.</summary>
    public virtual void Dispose()
    {
    }

    /// <inheritdoc/>
    public void SetHeaders(IHeaderDictionary headers, HeaderDictionary? upstream)
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
}

/// <summary>An exchange's first fault. An object, for most exchanges have none.</summary>
/// <param name="Fault">What happened.</param>
/// <param name="ClusterId">Where.</param>
/// <param name="At">When an attempt failed (a timestamp); null where a cluster was only passed over. Recovery is timed from there.</param>
internal sealed record NotedFault(Fault Fault, string ClusterId, long? At);
