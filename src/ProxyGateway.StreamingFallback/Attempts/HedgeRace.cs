namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>
/// Which of two attempts that run beside each other is the client's: the one that has something to deliver first. Until then
/// both hold back what they have; then the other one is cancelled. Thread-safe.
/// </summary>
internal sealed class HedgeRace
{
    private readonly Lock _gate = new();
    private Attempt? _first;
    private Attempt? _second;
    private volatile Attempt? _winner;

    public Attempt? Winner => _winner;

    public void Begin(Attempt first) => _first = first;

    /// <summary>A second attempt comes in; false where the race is over. <paramref name="onJoined"/> is done before anybody can win.</summary>
    public bool TryJoin(Attempt second, Action onJoined)
    {
        lock (_gate)
        {
            if (_winner is not null)
            {
                return false;
            }

            _second = second;
            onJoined();
            return true;
        }
    }

    /// <summary>Does something that must not happen once somebody has won.</summary>
    public void WhileOpen(Action action)
    {
        lock (_gate)
        {
            if (_winner is null)
            {
                action();
            }
        }
    }

    /// <summary>Whether the attempt may deliver: it has won, now or before. The other one is cancelled at once.</summary>
    public bool TryWin(Attempt attempt)
    {
        Attempt? loser;
        lock (_gate)
        {
            if (_winner is not null)
            {
                return ReferenceEquals(_winner, attempt);
            }

            _winner = attempt;
            loser = ReferenceEquals(attempt, _first) ? _second : _first;
        }

        loser?.Cancel();
        return true;
    }

    public bool IsLostFor(Attempt attempt) => _winner is { } winner && !ReferenceEquals(winner, attempt);

    /// <summary>One of the two has thrown: nothing of the exchange can be saved, so neither may go on.</summary>
    public void Abandon()
    {
        _first?.Cancel();
        _second?.Cancel();
    }
}
