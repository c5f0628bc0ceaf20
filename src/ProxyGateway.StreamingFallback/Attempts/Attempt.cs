using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Exchange;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Hedging;
using ProxyGateway.StreamingFallback.LoadBalancing;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// One upstream call: what becomes of its bytes as they arrive, and what it came to. Its bytes are watched (a stream), kept (an
/// answer that is judged as a whole) or passed through (an answer the gateway has no say in).
/// </summary>
internal sealed partial class Attempt : UpstreamCall
{
    /// <summary>An error body is read for what it complains about, not for its length.</summary>
    private const int MaxErrorBodyBytes = 64 * 1024;

    /// <summary>How long a stream that has its terminal may take to say the rest (usage, end marker).</summary>
    private static readonly TimeSpan FinishGrace = TimeSpan.FromSeconds(1);

    /// <summary>How long one that has its end marker may take to end: long enough that its connection is kept for the next, as a rule.</summary>
    private static readonly TimeSpan EndGrace = TimeSpan.FromMilliseconds(100);

    private readonly ChatExchange _exchange;
    private readonly long _startedAt;
    private readonly bool _isReplay;
    private StreamGuard? _guard;
    private Handling _handling;
    private bool _delivering;
    private bool _headersSeen;
    private bool _truncated;
    private long _firstChunkAt;
    private (int Status, HeaderDictionary Headers)? _cutAnswer;
    private long _held;

    public Attempt(ChatExchange exchange, ClusterSettings cluster, AttemptMode mode, bool isReplay)
        : base(exchange, cluster, exchange.Shutdown)
    {
        _exchange = exchange;
        Mode = mode;
        _isReplay = isReplay;
        _startedAt = exchange.Time.GetTimestamp();
        if (exchange.RecoveryDeadline is { } deadline)
        {
            Clock.SetDeadline(deadline);
        }

        if (mode == AttemptMode.Streaming)
        {
            Clock.Start(FaultKind.ResponseHeadersTimeout, cluster.ResponseHeadersTimeout, _startedAt);
        }
        else if (isReplay)
        {
            Clock.Start(FaultKind.ReplayTimeout, cluster.ReplayTimeout, _startedAt);
        }
        else
        {
            Clock.Start(FaultKind.AnswerTimeout, cluster.AnswerTimeout, _startedAt);
        }
    }

    private enum Handling
    {
        Undecided,
        Watch,
        Keep,
        PassThrough,
        Discard,
    }

    public ChatExchange Exchange => _exchange;

    public AttemptMode Mode { get; }

    /// <summary>Whether it is the exchange's first, so that an upstream's own error is the answer.</summary>
    public bool IsFirst { get; init; }

    /// <summary>The streaming circuit's permit; null where it was not asked.</summary>
    public CircuitPermit? StreamingPermit { get; init; }

    /// <summary>Where another attempt may run beside this one: which of them may deliver. Null where none can.</summary>
    public HedgeRace? Race { get; init; }

    /// <summary>Who wants to know when first content comes; null for nobody.</summary>
    public FirstContentTimes? Times { get; init; }

    /// <summary>The destination that was picked; null until then.</summary>
    public string? Destination => Proxy?.ProxiedDestination?.DestinationId;

    /// <summary>The answer's bytes, where they were kept.</summary>
    public PooledBuffer Kept { get; } = new();

    /// <summary>Events that still have to go to the client: the end of a stream, or what was made of a replay.</summary>
    public PooledBuffer Rest { get; } = new();

    /// <summary>Whether the answer's status and headers are the client's already and its bytes went through untouched.</summary>
    public bool PassedThrough => _handling == Handling.PassThrough;

    public bool Delivering => _delivering;

    /// <summary>Whether more came than was kept.</summary>
    public bool Truncated => _truncated;

    public ChatStreamReader? Reader => _guard?.Reader;

    public long ContentEvents => _guard?.ContentEvents ?? 0;

    /// <summary>What the upstream has reported of the tokens it took; set once <see cref="UpstreamCall.Conclude"/> was called.</summary>
    public TokenUsage Usage { get; private set; }

    /// <summary>When the request was handed to the HTTP client (a timestamp); 0 while it was not.</summary>
    public long SentAt { get; private set; }

    /// <summary>When the call was over (a timestamp).</summary>
    public long ConcludedAt { get; private set; }

    /// <summary>From the attempt's start to the first bytes of its stream; null where it came to none.</summary>
    public TimeSpan? TimeToFirstChunk => _firstChunkAt == 0 ? null : _exchange.Time.GetElapsedTime(_startedAt, _firstChunkAt);

    public TimeSpan Elapsed => _exchange.Time.GetElapsedTime(_startedAt);

    /// <summary>Tells latency-aware balancing what it may expect of the destination.</summary>
    public void ObserveLatency(TimeSpan toFirstContent)
    {
        if (Proxy?.ProxiedDestination is { } destination)
        {
            FirstContentLatency.Of(destination).Observe(toFirstContent, _exchange.Time);
        }
    }

    /// <summary>The first content would have come later than this, nobody knows how much.</summary>
    public void ObserveLatencyAtLeast(TimeSpan toFirstContent)
    {
        if (Proxy?.ProxiedDestination is { } destination)
        {
            FirstContentLatency.Of(destination).ObserveAtLeast(toFirstContent, _exchange.Time);
        }
    }

    /// <summary>No clock of the attempt may run beyond <paramref name="deadline"/> (a timestamp) until its first content.</summary>
    public void SetDeadline(long deadline) => Clock.SetDeadline(deadline);

    public override void OnStatus(int status)
    {
        if (!_headersSeen && Mode == AttemptMode.Streaming)
        {
            Clock.Start(FaultKind.FirstContentTimeout, Cluster.FirstContentTimeout, _startedAt);
        }

        _headersSeen = true;
    }

    /// <summary>YARP has made its request and sends it now.</summary>
    public void OnSending() => SentAt = _exchange.Time.GetTimestamp();

    public override ValueTask OnBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_handling == Handling.Undecided)
        {
            if (Kept.Length > 0)
            {
                // The first bytes alone did not say what the answer is.
                Kept.Append(bytes.Span);
                bytes = Kept.Span.ToArray();
                Kept.Clear();
            }

            if (!TryDecide(bytes.Span))
            {
                Kept.Append(bytes.Span);
                return default;
            }
        }

        switch (_handling)
        {
            case Handling.Watch:
                return _delivering ? Watch(bytes) : WatchHeldAsync(bytes);
            case Handling.Keep:
                return Keep(bytes.Span) ? default : PassAsync(default);
            case Handling.PassThrough:
                return PassAsync(bytes);
            default:
                return default;
        }
    }

    /// <summary>Keeps the heartbeat out until the outcome is dealt with. An attempt that is not the client's yet leaves the turn alone.</summary>
    public override ValueTask TakeTurnAsync() => Race is null || ReferenceEquals(Race.Winner, this) ? _exchange.Client.TakeTurnAsync() : default;

    /// <summary>The attempt is complete without having delivered anything. False where the other one is the client's.</summary>
    public async ValueTask<bool> TryWinWholeAsync()
    {
        if (!MayDeliver())
        {
            return false;
        }

        await TakeTurnAsync();
        if (_guard is null)
        {
            // Judged before it was its turn: a heartbeat may have committed the stream since.
            Rest.Clear();
            Outcome = JudgeAnswer();
        }

        return true;
    }

    public override void Dispose()
    {
        base.Dispose();
        _guard?.Dispose();
        if (_guard is not null && !ReferenceEquals(_guard.Reader, _exchange.Delivered))
        {
            _guard.Reader.Dispose();
        }

        _exchange.Memory.Return(_held);
        _held = 0;
        Kept.Dispose();
        Rest.Dispose();
    }

    /// <summary>False where these first bytes do not say yet what the answer is.</summary>
    private bool TryDecide(ReadOnlySpan<byte> first)
    {
        var isSuccess = Features.StatusCode is >= 200 and < 300;
        var contentType = Features.Headers[HeaderNames.ContentType].ToString();
        var isStream = isSuccess && Mode == AttemptMode.Streaming ? StreamSniffer.IsStream(_exchange.Route.Format, contentType, first) : (bool?)false;
        if (isStream is null)
        {
            return false;
        }

        if (isStream is true)
        {
            _guard = new StreamGuard(
                _exchange.Route.Format,
                _exchange.Route.Format.NewReader(_exchange.Request, _exchange.ReserveText(), Cluster.Terminal),
                _exchange.Limits.MaxEventBytes);
            _handling = Handling.Watch;
        }
        else if (isSuccess && !_exchange.Request.Streaming && !contentType.Contains("json", StringComparison.OrdinalIgnoreCase) && contentType.Length > 0)
        {
            _handling = Handling.PassThrough;
            // What it is nobody knows, so nobody knows how long it may take.
            Clock.Stop();
        }
        else
        {
            _handling = Handling.Keep;
        }

        return true;
    }

    private bool MayDeliver() => Race is null || Race.TryWin(this);
}
