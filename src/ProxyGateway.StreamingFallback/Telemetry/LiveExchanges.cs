using ProxyGateway.StreamingFallback.Exchange;

namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>A look at one exchange in flight.</summary>
/// <remarks><c>ClusterId</c>: the cluster that is asked. <c>SinceContent</c>: since content last went to the client; null while none has. <c>Recovering</c>: whether something has failed already.</remarks>
internal readonly record struct LiveExchange(
    string RequestId,
    string RouteId,
    string ClusterId,
    bool Streaming,
    TimeSpan Age,
    long ContentEvents,
    TimeSpan? SinceContent,
    int Attempts,
    bool Recovering);

/// <summary>
/// The exchanges in flight, and how many ended how. An exchange pays one lock and one list node at its start and one lock at its
/// end, and nothing per event: a look reads what the exchange keeps anyway. Thread-safe.
/// </summary>
internal sealed class LiveExchanges(RecentEvents recent)
{
    private static readonly int OutcomeCount = Enum.GetValues<ExchangeOutcome>().Length;

    private readonly Lock _gate = new();
    private readonly LinkedList<ClientExchange> _inFlight = new();
    private readonly long[] _ended = new long[OutcomeCount];
    private long _bodyBytes;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _inFlight.Count;
            }
        }
    }

    public LinkedListNode<ClientExchange> Begin(ClientExchange exchange)
    {
        var node = new LinkedListNode<ClientExchange>(exchange);
        lock (_gate)
        {
            _inFlight.AddLast(node);
            _bodyBytes += exchange.BodyBytes;
        }

        return node;
    }

    /// <summary>The exchange has its outcome. Nobody looks at it any more once this returns.</summary>
    public void End(LinkedListNode<ClientExchange> node)
    {
        var exchange = node.Value;
        lock (_gate)
        {
            _inFlight.Remove(node);
            _bodyBytes -= exchange.BodyBytes;
            _ended[(int)exchange.Outcome]++;
        }

        recent.Add(exchange);
    }

    /// <summary>A request that was refused before it became an exchange.</summary>
    public void Refused()
    {
        lock (_gate)
        {
            _ended[(int)ExchangeOutcome.Rejected]++;
        }
    }

    /// <summary>Bytes of the request bodies that are kept.</summary>
    public long BodyBytes => Volatile.Read(ref _bodyBytes);

    /// <summary>Bytes of request bodies and delivered text that are kept. Looks at every exchange in flight.</summary>
    public long KeptBytes()
    {
        lock (_gate)
        {
            var bytes = _bodyBytes;
            for (var node = _inFlight.First; node is not null; node = node.Next)
            {
                bytes += node.Value.DeliveredBytes;
            }

            return bytes;
        }
    }

    /// <summary>How many exchanges ended so far, by <see cref="ExchangeOutcome"/>.</summary>
    public long[] Ended()
    {
        lock (_gate)
        {
            return [.. _ended];
        }
    }

    /// <summary>The oldest first, <paramref name="limit"/> at most, and how many there are in all.</summary>
    public (IReadOnlyList<LiveExchange> Oldest, int Count) Look(int limit)
    {
        lock (_gate)
        {
            var oldest = new List<LiveExchange>(Math.Min(limit, _inFlight.Count));
            for (var node = _inFlight.First; node is not null && oldest.Count < limit; node = node.Next)
            {
                oldest.Add(Look(node.Value));
            }

            return (oldest, _inFlight.Count);
        }
    }

    // Reads beside the flow that writes: each value is whole, though not all of one instant.
    private static LiveExchange Look(ClientExchange e)
    {
        var now = e.Time.GetTimestamp();
        var lastContent = e.LastContentAt;
        return new LiveExchange(
            e.RequestId,
            e.RouteId,
            e.ClusterId,
            e.IsStreaming,
            e.Time.GetElapsedTime(e.StartedAt, now),
            e.ContentEvents,
            lastContent == 0 ? null : e.Time.GetElapsedTime(Math.Min(lastContent, now), now),
            e.Attempts,
            e.FirstFault is not null);
    }
}
