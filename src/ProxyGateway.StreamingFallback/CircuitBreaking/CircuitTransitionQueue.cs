namespace ProxyGateway.StreamingFallback.CircuitBreaking;

/// <summary>Hands transitions, recorded under a cell's lock, to its listeners outside of it: in order, and never two at a time.</summary>
internal sealed class CircuitTransitionQueue
{
    private readonly Queue<CircuitTransition> _waiting = new(2);
    private volatile bool _any;
    private bool _raising;

    public void Add_NeedsLock(CircuitTransition transition)
    {
        _waiting.Enqueue(transition);
        _any = true;
    }

    public void Raise(Lock gate, Action<CircuitTransition>? listeners)
    {
        // Read without the lock: whoever added something on this thread sees it, and nobody else needs to.
        if (!_any)
        {
            return;
        }

        lock (gate)
        {
            if (_raising)
            {
                return;
            }

            _raising = true;
        }

        try
        {
            while (Next(gate) is { } transition)
            {
                listeners?.Invoke(transition);
            }
        }
        catch
        {
            lock (gate)
            {
                _raising = false;
            }

            throw;
        }
    }

    private CircuitTransition? Next(Lock gate)
    {
        lock (gate)
        {
            if (_waiting.TryDequeue(out var transition))
            {
                return transition;
            }

            _any = false;
            _raising = false;
            return null;
        }
    }
}
