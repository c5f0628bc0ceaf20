using System.Buffers;
using System.Buffers.Text;
using System.Text;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.AgentApi;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Guard;

/// <summary>
/// Passes an endless event stream on over as many connections as it takes: whole events only, so that a cut leaves none in half; after
/// a reconnect only what is news. There is no terminal to find and no answer to complete. Pure: bytes in, bytes out.
/// </summary>
internal sealed class EventRelay(int maxEventBytes) : IDisposable
{
    private static readonly TimeSpan LongestRetry = TimeSpan.FromHours(1);

    private readonly DeliveredState _state = new();
    private readonly PooledBuffer _held = new();
    private readonly PooledBuffer _scratch = new();
    private EventFramer _framer = new(StreamFraming.ServerSentEvents);
    private bool _isFirstOfConnection = true;
    private bool _isFirstConnection = true;
    private bool _dropped;

    /// <summary>Why the stream cannot go on, whatever connection is made; none while it can.</summary>
    public FaultKind Fault { get; private set; }

    /// <summary>Events that came whole, passed on or not.</summary>
    public long EventsSeen { get; private set; }

    public long EventsPassed { get; private set; }

    /// <summary>What the upstream's last <c>id:</c> line said; null where it sends none.</summary>
    public string? LastEventId { get; private set; }

    /// <summary>What the upstream's last <c>retry:</c> line said; null where it sends none.</summary>
    public TimeSpan? Retry { get; private set; }

    /// <summary>Takes what has arrived and writes the whole events of it that the client is to have.</summary>
    public void Push(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        while (Fault == FaultKind.None && !bytes.IsEmpty)
        {
            var isOwed = _framer.OwesLineFeed && bytes[0] == (byte)'\n';
            var end = _framer.FindEventEnd(bytes);
            var piece = end < 0 ? bytes : bytes[..end];
            if (_held.Length + piece.Length > maxEventBytes)
            {
                Fault = FaultKind.EventTooLarge;
                return;
            }

            if (end < 0)
            {
                _held.Append(piece);
                return;
            }

            if (isOwed && _dropped)
            {
                // An event that is dropped takes its whole line end with it.
                bytes = bytes[end..];
                continue;
            }

            if (_held.Length == 0)
            {
                Take(piece, output);
            }
            else
            {
                _held.Append(piece);
                Take(_held.Span, output);
                _held.Truncate(0);
            }

            bytes = bytes[end..];
        }
    }

    /// <summary>The connection is gone: what had not come whole is dropped, and the next connection begins anew.</summary>
    public void Reconnect()
    {
        _held.Clear();
        _framer = new EventFramer(StreamFraming.ServerSentEvents);
        _isFirstOfConnection = true;
        _isFirstConnection = false;
        _state.BeginReplay();
    }

    public void Dispose()
    {
        _held.Dispose();
        _scratch.Dispose();
    }

    private void Take(ReadOnlySpan<byte> raw, IBufferWriter<byte> output)
    {
        EventsSeen++;
        var e = EventParser.Parse(StreamFraming.ServerSentEvents, raw, _isFirstOfConnection, _scratch);
        if (_isFirstOfConnection && !_isFirstConnection && raw.StartsWith("\uFEFF"u8))
        {
            // A byte order mark counts at the very start only; later it hides the first field's name.
            raw = raw[3..];
        }

        _isFirstOfConnection = false;
        ReadReconnection(raw);
        _dropped = !_state.TryTake(e);
        if (!_dropped)
        {
            EventsPassed++;
            output.Write(raw);
        }
        else if (_state.IsLost)
        {
            Fault = FaultKind.Divergence;
        }
    }

    /// <summary>The two fields that are about reconnecting. The client has them too: they are passed on with their event.</summary>
    private void ReadReconnection(ReadOnlySpan<byte> raw)
    {
        // An id goes back in a header, so it must be one that a header can carry.
        if (EventParser.TryFindField(raw, "id"u8, out var id) && !id.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            LastEventId = Encoding.ASCII.GetString(id);
        }

        if (EventParser.TryFindField(raw, "retry"u8, out var retry)
            && Utf8Parser.TryParse(retry, out uint milliseconds, out var used) && used == retry.Length)
        {
            var wanted = TimeSpan.FromMilliseconds(milliseconds);
            Retry = wanted < LongestRetry ? wanted : LongestRetry;
        }
    }
}
