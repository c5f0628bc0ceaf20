using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.Management.Api;

/// <summary>
/// What the streams of <c>/api/events</c> say: a snapshot each second, and each recovery and each change of a circuit at once.
/// Made once for all who listen; nothing is made while nobody does.
/// </summary>
internal sealed class StatusFeed : IDisposable
{
    /// <summary>So many may listen at a time.</summary>
    public const int MaxListeners = 20;

    /// <summary>What a listener may be behind; then it loses the oldest.</summary>
    private const int MaxBacklog = 256;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly StatusReport _report;
    private readonly RecentEvents _recent;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly List<Channel<byte[]>> _listeners = [];
    private ITimer? _timer;
    private int _making;

    public StatusFeed(StatusReport report, RecentEvents recent, TimeProvider time)
    {
        (_report, _recent, _time) = (report, recent, time);
        recent.ExchangeAdded += OnExchange;
        recent.CircuitChangeAdded += OnCircuitChange;
    }

    public void Start() => _timer = _time.CreateTimer(static s => ((StatusFeed)s!).Tick(), this, Interval, Interval);

    /// <summary>The first thing a listener is told: everything.</summary>
    public byte[] Greeting() => Message("status", _report.Describe(withHistory: true), ApiJson.Default.StatusDocument);

    /// <summary>Null where too many listen already.</summary>
    public ChannelReader<byte[]>? Listen()
    {
        lock (_gate)
        {
            if (_listeners.Count >= MaxListeners)
            {
                return null;
            }

            var channel = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxBacklog) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
            _listeners.Add(channel);
            return channel.Reader;
        }
    }

    public void Leave(ChannelReader<byte[]> reader)
    {
        lock (_gate)
        {
            _listeners.RemoveAll(l => ReferenceEquals(l.Reader, reader));
        }
    }

    public void Dispose()
    {
        _recent.ExchangeAdded -= OnExchange;
        _recent.CircuitChangeAdded -= OnCircuitChange;
        _timer?.Dispose();
    }

    private static byte[] Message<T>(string name, T value, JsonTypeInfo<T> type)
    {
        // JSON on one line has no line break, and the serializer escapes those in texts.
        var data = JsonSerializer.SerializeToUtf8Bytes(value, type);
        return [.. "event: "u8, .. System.Text.Encoding.ASCII.GetBytes(name), .. "\ndata: "u8, .. data, .. "\n\n"u8];
    }

    private void OnExchange(RecentExchange e) => Tell("recovery", () => StatusReport.Describe(e), ApiJson.Default.RecoveryRecord);

    private void OnCircuitChange(RecentCircuitChange c)
    {
        Tell("circuit", () => StatusReport.Describe(c), ApiJson.Default.CircuitChangeRecord);

        // The pills follow at once, though not on the thread of whoever made them change.
        _timer?.Change(TimeSpan.Zero, Interval);
    }

    private void Tick()
    {
        // A slow machine skips a second rather than pile them up.
        if (Interlocked.Exchange(ref _making, 1) == 1)
        {
            return;
        }

        try
        {
            Tell("status", () => _report.Describe(withHistory: false), ApiJson.Default.StatusDocument);
        }
        finally
        {
            Volatile.Write(ref _making, 0);
        }
    }

    private void Tell<T>(string name, Func<T> make, JsonTypeInfo<T> type)
    {
        Channel<byte[]>[] listeners;
        lock (_gate)
        {
            listeners = [.. _listeners];
        }

        if (listeners.Length == 0)
        {
            return;
        }

        var message = Message(name, make(), type);
        foreach (var listener in listeners)
        {
            listener.Writer.TryWrite(message);
        }
    }
}
