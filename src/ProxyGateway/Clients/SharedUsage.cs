namespace ProxyGateway.Clients;

/// <summary>
/// What other replicas let one client do in the last minute, as far as this one has heard. It can only take away from what the
/// client's own limit leaves: without news it says nothing. Thread-safe.
/// </summary>
internal sealed class SharedUsage(TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _askedAt = time.GetTimestamp();
    private long _pending;
    private long _minute;
    private long _own;
    private long _ownBefore;
    private UsageWindow _others;
    private TimeSpan _believed;
    private long _heardAt;

    /// <summary>The minute that a moment belongs to, counted from 1970: the same on every replica.</summary>
    public static long MinuteOf(DateTimeOffset moment) => moment.ToUnixTimeSeconds() / 60;

    /// <summary>Whether <paramref name="left"/> requests of its own limit leave the client one, and if not, how long to wait.</summary>
    public bool Leaves(long left, out TimeSpan retryAfter)
    {
        lock (_gate)
        {
            _askedAt = time.GetTimestamp();
            retryAfter = TimeSpan.Zero;
            if (_believed == TimeSpan.Zero || time.GetElapsedTime(_heardAt) >= _believed)
            {
                return true;
            }

            retryAfter = _others.WaitFor(left - 1, time.GetUtcNow());
            return retryAfter == TimeSpan.Zero;
        }
    }

    public void Admitted()
    {
        lock (_gate)
        {
            _pending++;
        }
    }

    /// <summary>The minute it is and what is to be told to the others, once; null where the client has not been here for a minute, so that nobody need be asked about it.</summary>
    public (long Minute, long Admitted)? TakeNews()
    {
        lock (_gate)
        {
            var news = _pending;
            _pending = 0;
            Turn(MinuteOf(time.GetUtcNow()));
            // Told or not: taken for told it can only make the others' share too small, and nobody is refused for a lost answer.
            _own += news;
            return news > 0 || time.GetElapsedTime(_askedAt) < Minute ? (_minute, news) : null;
        }
    }

    /// <summary>What all replicas together let the client do in a minute and in the one before.</summary>
    public void Learn(long minute, long all, long allBefore, TimeSpan believed)
    {
        lock (_gate)
        {
            if (minute != _minute)
            {
                return;
            }

            _others = new UsageWindow(minute, Math.Max(0, all - _own), Math.Max(0, allBefore - _ownBefore));
            (_believed, _heardAt) = (believed, time.GetTimestamp());
        }
    }

    private void Turn(long minute)
    {
        if (minute == _minute)
        {
            return;
        }

        _ownBefore = minute == _minute + 1 ? _own : 0;
        (_minute, _own) = (minute, 0);
    }
}

/// <summary>
/// Requests per minute of the clock, and how many of them the last sixty seconds hold if each minute's came evenly. Pure.
/// </summary>
internal readonly record struct UsageWindow(long Minute, long Current, long Before)
{
    private const double Length = 60;

    /// <summary>How long until no more than <paramref name="room"/> are left; zero if that is now.</summary>
    public TimeSpan WaitFor(long room, DateTimeOffset now)
    {
        var since = (now.ToUnixTimeMilliseconds() / 1000.0) - (Minute * Length);
        if (since is < 0 or >= 2 * Length)
        {
            return TimeSpan.Zero;
        }

        if (room < 0)
        {
            // The client's own use here is over the limit already, and that is the local limiter's to say.
            return TimeSpan.Zero;
        }

        // Until the minute ends its own requests all count, and of the one before the share that is not yet sixty seconds ago.
        var end = since < Length ? Free(room - Current, Before, since) : null;
        return TimeSpan.FromSeconds((end ?? (Length + Free(room, Current, Math.Max(0, since - Length))!.Value)) - since);
    }

    /// <summary>When, in a minute that begins with <paramref name="fading"/> of the one before, no more than <paramref name="room"/> are left; null where it is not in this minute.</summary>
    private static double? Free(long room, long fading, double since) =>
        room < 0 ? null : fading <= room ? since : Math.Max(since, Length * (1 - ((double)room / fading)));
}
