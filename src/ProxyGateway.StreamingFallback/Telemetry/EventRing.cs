namespace ProxyGateway.StreamingFallback.Telemetry;

/// <summary>The latest few of something; an older one gives way to a newer. Thread-safe.</summary>
internal sealed class EventRing<T>(int capacity)
    where T : class
{
    private readonly Lock _gate = new();
    private readonly T[] _items = new T[capacity];
    private int _next;
    private int _count;

    /// <summary>Adds one. <paramref name="merge"/> may give a replacement for the newest instead; null there adds.</summary>
    /// <returns>What now stands at the end.</returns>
    public T Add(T item, Func<T, T, T?>? merge = null)
    {
        lock (_gate)
        {
            var newest = (_next + capacity - 1) % capacity;
            if (_count > 0 && merge?.Invoke(_items[newest], item) is { } merged)
            {
                return _items[newest] = merged;
            }

            _items[_next] = item;
            _next = (_next + 1) % capacity;
            _count = Math.Min(_count + 1, capacity);
            return item;
        }
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<T> Latest()
    {
        lock (_gate)
        {
            var items = new T[_count];
            for (var i = 0; i < _count; i++)
            {
                items[i] = _items[(_next + capacity - 1 - i) % capacity];
            }

            return items;
        }
    }
}
