using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// One call that YARP makes for an exchange, with features of its own in the client's place. What becomes of the answer's bytes, and
/// what the call came to, is for the kinds of calls to say.
/// </summary>
internal abstract class UpstreamCall : IDisposable
{
    private readonly CancellationTokenSource _cancel;

    protected UpstreamCall(ClientExchange exchange, ClusterSettings cluster, CancellationToken shutdown)
    {
        Cluster = cluster;
        RequestId = exchange.RequestId;
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(exchange.Client.Aborted, shutdown);
        Clock = new AttemptClock(exchange.Time, static call => ((UpstreamCall)call!).Cancel(), this);
        Features = new AttemptFeatures(this, exchange.Client.Response, _cancel.Token);
    }

    /// <summary>The call that <paramref name="context"/> goes through YARP's pipeline for; null outside of one.</summary>
    public static UpstreamCall? Of(HttpContext context) => (context.Features[typeof(IHttpResponseFeature)] as AttemptFeatures)?.Call;

    public ClusterSettings Cluster { get; }

    public string RequestId { get; }

    public AttemptFeatures Features { get; }

    /// <summary>Set once <see cref="Conclude"/> was called.</summary>
    public AttemptOutcome? Outcome { get; protected set; }

    /// <summary>What YARP knows of the call; set when it begins.</summary>
    public IReverseProxyFeature? Proxy { get; set; }

    /// <summary>The call's span; null where nobody listens.</summary>
    public Activity? Span { get; set; }

    /// <summary>Whether YARP's health policies hear of the failure. An answer, even one that failed, says that the destination is there.</summary>
    public virtual bool BlamesDestination => Outcome is { Result: AttemptResult.Failed, Fault.Kind: not (FaultKind.HttpStatus or FaultKind.Divergence) };

    protected AttemptClock Clock { get; }

    public void Cancel()
    {
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // A clock that fired while the call ended by itself.
        }
    }

    /// <summary>YARP has set the status: the headers have arrived.</summary>
    public abstract void OnStatus(int status);

    public abstract ValueTask OnBytesAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Keeps the heartbeat out until the outcome is dealt with.</summary>
    public abstract ValueTask TakeTurnAsync();

    /// <summary>The call is over: judges it, once. <paramref name="error"/> is what YARP reported.</summary>
    public AttemptOutcome Conclude(IForwarderErrorFeature? error)
    {
        if (Outcome is { } known)
        {
            return known;
        }

        Clock.Stop();
        var outcome = Judge(error);
        Outcome = outcome;
        OnConcluded();
        return outcome;
    }

    /// <summary>The call has been judged.</summary>
    protected virtual void OnConcluded()
    {
    }

    /// <summary>Pure apart from the call's own state.</summary>
    protected abstract AttemptOutcome Judge(IForwarderErrorFeature? error);

    public virtual void Dispose()
    {
        Clock.Dispose();
        _cancel.Dispose();
    }
}
