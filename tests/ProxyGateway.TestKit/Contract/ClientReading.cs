namespace ProxyGateway.TestKit.Contract;

/// <summary>
/// The client's event stream taken apart: heartbeats, then the bytes of one attempt as they were, then what the gateway
/// added itself.
/// </summary>
public sealed class ClientReading
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private readonly ReadOnlyMemory<byte> _body;
    private readonly IContractFormat _format;
    private int _position;

    private ClientReading(byte[] body, IContractFormat format)
    {
        _body = body;
        _format = format;
    }

    /// <summary>The attempt whose events the client got, or should have got.</summary>
    public AttemptReading? Source { get; private set; }

    /// <summary>The events of <see cref="Source"/> that the client got unchanged, in order.</summary>
    public List<ContractEvent> Delivered { get; } = [];

    /// <summary>Events of <see cref="Source"/> that should have come before a delivered one or the end, from the first missing one on.</summary>
    public IReadOnlyList<ContractEvent> Undelivered { get; private set; } = [];

    /// <summary>Everything after that, heartbeats left out.</summary>
    public List<ContractEvent> Added { get; } = [];

    public int Heartbeats { get; private set; }

    /// <summary>Bytes after the last whole event.</summary>
    public int Remainder { get; private set; }

    /// <summary>Events of an attempt that failed before its content reached the client.</summary>
    public bool LeakedLifecycle { get; private set; }

    /// <summary>A heartbeat stands between two events of the same attempt.</summary>
    public bool HeartbeatInside { get; private set; }

    public static ClientReading Read(byte[] body, IContractFormat format, IReadOnlyList<AttemptReading> attempts)
    {
        var reading = new ClientReading(body, format);
        reading.FindSource(attempts);
        reading.ReadAdded();
        return reading;
    }

    private void FindSource(IReadOnlyList<AttemptReading> attempts)
    {
        for (var i = 0; i < attempts.Count; i++)
        {
            var attempt = attempts[i];
            var match = BestMatch(attempt);
            if (IsAlsoOf(attempts, i, match))
            {
                continue;
            }

            if (attempt.HasStream && (match.Content > 0 || (attempt.CanBeComplete && match.Finished) || (attempt.MustBeSeen && !HasLost(attempt, attempts))))
            {
                Source = attempt;
                Heartbeats += match.Before;
                Delivered.AddRange(match.Events);
                _position = match.End;
                HeartbeatInside = match.HeartbeatInside;
                Undelivered = match.Missing;
                return;
            }

            // Where the next attempt begins with the very same bytes nobody can tell whose they are.
            if (match.Events.Exists(e => _format.HeartbeatLength(e.Raw) != e.Raw.Length) && !attempts.Skip(i + 1).Any(a => (a.HasStream && BestMatch(a).End >= match.End) || MadeAlike(match.Events, a.Answer)))
            {
                LeakedLifecycle = true;
                _position = match.End;
                SkipHeartbeats();
            }
        }
    }

    private bool HasLost(AttemptReading attempt, IReadOnlyList<AttemptReading> attempts) =>
        attempt.Attempt.Raced && attempts.Any(other => other != attempt && other.Attempt.Raced && BestMatch(other).Content > 0);

    /// <summary>What need not be this attempt's may be a later one's, where events do not name their answer.</summary>
    private bool IsAlsoOf(IReadOnlyList<AttemptReading> attempts, int i, Found match) =>
        !attempts[i].MustBeSeen && match.Content > 0 && attempts.Skip(i + 1).Any(a => a.HasStream && BestMatch(a) is var other && other.End > match.End);

    /// <summary>A stream made from an answer that has the attempt's own id may begin with the very bytes the attempt began with.</summary>
    private static bool MadeAlike(List<ContractEvent> events, DecodedMessage? answer) =>
        answer is not null && events.TrueForAll(e => !e.Is(EventTraits.NoData) && e.Id is not null && answer.Ids.Contains(e.Id));

    /// <summary>An upstream may itself begin with what is a heartbeat, so the attempt may begin in front of each.</summary>
    private Found BestMatch(AttemptReading attempt)
    {
        var best = Match(attempt, _position);
        var at = _position;
        for (var before = 1; _format.HeartbeatLength(_body[at..]) is > 0 and var beat; before++)
        {
            at += beat;
            if (Match(attempt, at) is var found && (found.Events.Count > best.Events.Count || (found.Events.Count == best.Events.Count && best.HeartbeatInside && !found.HeartbeatInside)))
            {
                best = found;
                best.Before = before;
            }
        }

        return best;
    }

    private Found Match(AttemptReading attempt, int start)
    {
        var found = new Found { End = start };
        for (var i = 0; i < attempt.Events.Count; i++)
        {
            var e = attempt.Events[i];
            var at = found.End;
            var length = MatchAt(at, e.Raw, isFirst: i == 0);
            if (length < 0 && found.Events.Count > 0 && !e.Is(EventTraits.Optional))
            {
                while (_format.HeartbeatLength(_body[at..]) is > 0 and var beat)
                {
                    at += beat;
                }

                length = at > found.End ? MatchAt(at, e.Raw, isFirst: false) : -1;
                found.HeartbeatInside |= length >= 0;
            }

            if (length >= 0)
            {
                found.End = at + length;
                found.Events.Add(e);
                found.Content += e.Is(EventTraits.Content) ? 1 : 0;
                found.Finished |= e.Is(EventTraits.Finish | EventTraits.Done);
            }
            else if (!e.Is(EventTraits.Optional))
            {
                found.Missing = attempt.Events[i..];
                break;
            }
        }

        return found;
    }

    /// <summary>
    /// The bytes the client has of an event at a place, or -1. The byte order mark belongs to the stream and not to the
    /// event, and the LF after a CR that already ended it may not have arrived when the attempt failed.
    /// </summary>
    private int MatchAt(int at, ReadOnlyMemory<byte> raw, bool isFirst)
    {
        var here = _body.Span[at..];
        var bytes = raw.Span;
        if (here.StartsWith(bytes))
        {
            return bytes.Length;
        }

        if (isFirst && bytes.StartsWith(ByteOrderMark))
        {
            bytes = bytes[3..];
            if (here.StartsWith(bytes))
            {
                return bytes.Length;
            }
        }

        return bytes.EndsWith("\r\n"u8) && here.StartsWith(bytes[..^1]) ? bytes.Length - 1 : -1;
    }

    private void SkipHeartbeats()
    {
        while (_format.HeartbeatLength(_body[_position..]) is > 0 and var length)
        {
            _position += length;
            Heartbeats++;
        }
    }

    private void ReadAdded()
    {
        SkipHeartbeats();
        var stream = _format.NewStream();
        for (var i = 0; i < Delivered.Count && _position < _body.Length; i++)
        {
            if (_format.TryReadBlock(Delivered[i].Raw, isStart: i == 0, out var known))
            {
                stream.Read(known);
            }
        }

        while (_format.TryReadBlock(_body[_position..], _position == 0, out var block))
        {
            Added.Add(stream.Read(block));
            _position += block.Raw.Length;
            SkipHeartbeats();
        }

        Remainder = _body.Length - _position;
    }

    private sealed class Found
    {
        public List<ContractEvent> Events { get; } = [];

        public IReadOnlyList<ContractEvent> Missing { get; set; } = [];

        public int Content { get; set; }

        /// <summary>Heartbeats in front of it.</summary>
        public int Before { get; set; }

        public bool Finished { get; set; }

        public int End { get; set; }

        public bool HeartbeatInside { get; set; }
    }
}
