using System.Collections.Concurrent;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>What an upstream knows: its scripts, and what it was asked.</summary>
public abstract class UpstreamBase
{
    private readonly ConcurrentQueue<UpstreamScript> _scripts = new();
    private readonly List<RecordedExchange> _exchanges = [];
    private readonly Lock _lock = new();
    private int _opened;
    private int _closed;
    private int _recorded;

    /// <summary>Chooses the script for a request; null goes on to the queue.</summary>
    public Func<RecordedExchange, UpstreamScript?>? Choose { get; set; }

    /// <summary>What is played once the queue is empty; without it such a request gets a 501, which no test expects.</summary>
    public UpstreamScript? Default { get; set; }

    public abstract Uri Address { get; }

    /// <summary>Every request so far, in the order of arrival.</summary>
    public IReadOnlyList<RecordedExchange> Exchanges
    {
        get
        {
            lock (_lock)
            {
                return [.. _exchanges];
            }
        }
    }

    public int RequestCount => Exchanges.Count;

    /// <summary>Takes the requests that <paramref name="wanted"/> names out of <see cref="Exchanges"/>: a long run must not keep them all.</summary>
    public IReadOnlyList<RecordedExchange> Take(Func<RecordedExchange, bool> wanted)
    {
        lock (_lock)
        {
            var taken = _exchanges.Where(wanted).ToHashSet();
            _exchanges.RemoveAll(taken.Contains);
            return [.. taken.OrderBy(e => e.Number)];
        }
    }

    public int ConnectionsOpened => Volatile.Read(ref _opened);

    public int ConnectionsOpen => Volatile.Read(ref _opened) - Volatile.Read(ref _closed);

    public void Enqueue(params UpstreamScript[] scripts)
    {
        foreach (var script in scripts)
        {
            _scripts.Enqueue(script);
        }
    }

    protected int ConnectionOpened() => Interlocked.Increment(ref _opened);

    protected void ConnectionClosed() => Interlocked.Increment(ref _closed);

    protected RecordedExchange Record(int connection, string method, string target, IReadOnlyList<KeyValuePair<string, string>> headers, byte[] body)
    {
        lock (_lock)
        {
            var exchange = new RecordedExchange
            {
                Number = ++_recorded,
                Connection = connection,
                Method = method,
                Target = target,
                Headers = headers,
                Body = body,
                At = TimeProvider.System.GetUtcNow(),
            };
            _exchanges.Add(exchange);
            return exchange;
        }
    }

    protected UpstreamScript Next(RecordedExchange exchange) =>
        Choose?.Invoke(exchange)
        ?? (_scripts.TryDequeue(out var script) ? script : null)
        ?? Default
        ?? UpstreamScript.Json(501, "{\"error\":{\"message\":\"the test has no script for this request\",\"type\":\"test\",\"param\":null,\"code\":\"no_script\"}}"u8.ToArray());
}
