using ProxyGateway.StreamingFallback.Attempts;
using ProxyGateway.StreamingFallback.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace ProxyGateway.StreamingFallback.AgentApi;

/// <summary>A call whose answer goes to the client as it comes.</summary>
internal class AgentCall : UpstreamCall
{
    private readonly AgentExchange _exchange;
    private readonly CancellationToken _shutdown;
    private bool _headersSeen;

    public AgentCall(AgentExchange exchange, CancellationToken shutdown)
        : base(exchange, exchange.Route.Cluster, shutdown)
    {
        _exchange = exchange;
        _shutdown = shutdown;
        StartedAt = exchange.Time.GetTimestamp();
        Clock.Start(FaultKind.ResponseHeadersTimeout, Cluster.ResponseHeadersTimeout, StartedAt);
    }

    /// <summary>Whether the client has the answer's status.</summary>
    public bool IsPassing { get; private set; }

    protected long StartedAt { get; }

    protected bool IsSuccess => Features.StatusCode is >= 200 and < 300;

    public override void OnStatus(int status)
    {
        _headersSeen = true;
        Clock.Stop();
    }

    public override ValueTask OnBytesAsync(ReadOnlyMemory<byte> bytes) => PassAsync(bytes);

    public override ValueTask TakeTurnAsync() => _exchange.Client.TakeTurnAsync();

    /// <summary>Passes bytes of the answer on; its status and headers before the first.</summary>
    public async ValueTask PassAsync(ReadOnlyMemory<byte> bytes)
    {
        var client = _exchange.Client;
        await client.TakeTurnAsync();
        IsPassing = true;
        if (client.Commit(Features.StatusCode, Features.Headers))
        {
            client.Response.Headers.ContentLength = Features.Headers.ContentLength;
        }

        await client.WriteAndFlushAsync(bytes);
    }

    protected override AttemptOutcome Judge(IForwarderErrorFeature? error)
    {
        var kind = WhyItEnded(error);
        if (kind != FaultKind.None)
        {
            var phase = kind.NeverArrived() ? FaultPhase.Connect : _headersSeen && error is not null ? FaultPhase.Content : FaultPhase.Headers;
            return new AttemptOutcome(kind.Side() == FaultSide.Upstream ? AttemptResult.Failed : AttemptResult.Cancelled, new Fault(kind, phase));
        }

        return IsSuccess
            ? AttemptOutcome.Complete
            : new AttemptOutcome(AttemptResult.Answer, new Fault(
                FaultKind.HttpStatus, FaultPhase.Headers, Features.StatusCode, RetryAfter: UpstreamError.ReadRetryAfter(Features.Headers, _exchange.Time)));
    }

    /// <summary>What broke the call off; none where it ended by itself.</summary>
    protected FaultKind WhyItEnded(IForwarderErrorFeature? error) =>
        _exchange.Client.Aborted.IsCancellationRequested ? FaultKind.ClientGone
        : Clock.Fired != FaultKind.None ? Clock.Fired
        : _shutdown.IsCancellationRequested ? FaultKind.Shutdown
        : error is not null ? UpstreamError.Classify(error)
        : FaultKind.None;
}
