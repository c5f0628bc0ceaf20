using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.Limits;

/// <summary>
/// Lets a number of exchanges in at a time and a few more wait, in order, for a moment. The limit comes with every caller, so it
/// changes under traffic and who is inside stays counted. Thread-safe.
/// </summary>
/// <remarks>Not the framework's <c>ConcurrencyLimiter</c>: its limit is fixed, and a new one would not know who is inside.</remarks>
internal sealed class ConcurrencyGate(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _limit;
    private int _inside;

    public int Inside => Volatile.Read(ref _inside);

    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>True: the caller is in, and calls <see cref="Leave"/> once. False: there is no room, no place to wait, or the wait was over.</summary>
    public ValueTask<bool> EnterAsync(ConcurrencySettings settings, CancellationToken cancel)
    {
        LinkedListNode<TaskCompletionSource> place;
        lock (_gate)
        {
            if (TryEnter_NeedsLock(settings))
            {
                return new(true);
            }

            if (_waiting.Count >= settings.Queue)
            {
                return new(false);
            }

            place = _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        return WaitAsync(place, settings.QueueTimeout, cancel);
    }

    /// <summary>As <see cref="EnterAsync"/> without waiting: true only where there is room now, and nobody waits for it.</summary>
    public bool TryEnter(ConcurrencySettings settings)
    {
        lock (_gate)
        {
            return TryEnter_NeedsLock(settings);
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            _inside--;
            Admit_NeedsLock();
        }
    }

    private bool HasRoom_NeedsLock => _limit <= 0 || _inside < _limit;

    private bool TryEnter_NeedsLock(ConcurrencySettings settings)
    {
        _limit = settings.Limit;
        Admit_NeedsLock();
        if (_waiting.Count > 0 || !HasRoom_NeedsLock)
        {
            return false;
        }

        _inside++;
        return true;
    }

    private async ValueTask<bool> WaitAsync(LinkedListNode<TaskCompletionSource> place, TimeSpan timeout, CancellationToken cancel)
    {
        try
        {
            await place.Value.Task.WaitAsync(timeout, time, cancel);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            lock (_gate)
            {
                if (place.List is null)
                {
                    // Let in at the same moment.
                    return true;
                }

                _waiting.Remove(place);
                return false;
            }
        }
    }

    private void Admit_NeedsLock()
    {
        while (_waiting.First is { } first && HasRoom_NeedsLock)
        {
            _waiting.RemoveFirst();
            _inside++;
            first.Value.SetResult();
        }
    }
}
