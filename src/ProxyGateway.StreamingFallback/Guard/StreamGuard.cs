using System.Buffers;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Sse;
using ProxyGateway.StreamingFallback.Telemetry;

namespace ProxyGateway.StreamingFallback.Guard;

/// <summary>Where a guarded stream stands.</summary>
internal enum GuardState
{
    /// <summary>No content yet: whole events are held back.</summary>
    Holding,

    /// <summary>Content was passed on.</summary>
    Flowing,

    /// <summary>The terminal was passed on; a tail may follow.</summary>
    Finished,

    /// <summary>The stream is complete; what follows is dropped.</summary>
    Done,

    /// <summary>The attempt failed; what follows is dropped.</summary>
    Faulted,
}

/// <summary>
/// Watches one streaming attempt, event by event, and passes on what may reach the client. Pure: bytes in, bytes out, no
/// clock. Bytes go through unchanged and are written in runs, so a read of many events is one copy.
/// </summary>
internal sealed partial class StreamGuard(ChatFormat format, ChatStreamReader reader, int maxEventBytes) : IDisposable
{
    /// <summary>So many malformed events in a row are a fault; fewer are dropped and counted.</summary>
    private const int MaxMalformedInARow = 3;

    private readonly PooledBuffer _held = new();
    private readonly PooledBuffer _tail = new();
    private readonly PooledBuffer _scratch = new();
    private EventFramer _framer = new(format.Framing);

    /// <summary>Bytes in <see cref="_held"/> and <see cref="_tail"/>: with many streams open each object looked at is a wait for memory.</summary>
    private int _waiting;
    private int _malformedInARow;
    private bool _isFirst = true;
    private bool _dropped;

    public GuardState State { get; private set; }

    /// <summary>Why the attempt failed; <see cref="FaultKind.None"/> unless <see cref="State"/> is <see cref="GuardState.Faulted"/>.</summary>
    public FaultKind Fault { get; private set; }

    public ChatStreamReader Reader => reader;

    /// <summary>Events that carried content.</summary>
    public long ContentEvents { get; private set; }

    /// <summary>Events dropped because they were no JSON of this format.</summary>
    public int MalformedEvents { get; private set; }

    /// <summary>What the stream has reported of the tokens it took.</summary>
    public TokenUsage Usage { get; private set; }

    /// <summary>Bytes written to an output so far.</summary>
    public long BytesPassed { get; private set; }

    /// <summary>Takes the next bytes of the attempt and writes to <paramref name="output"/> what may go on now.</summary>
    public void Push(ReadOnlySpan<byte> chunk, IBufferWriter<byte> output)
    {
        if (State == GuardState.Done && _framer.OwesLineFeed && !chunk.IsEmpty)
        {
            // The second half of the last event's line end, if it is that; after any other byte nothing is owed.
            _framer = new EventFramer(format.Framing);
            WriteRun(chunk[0] == (byte)'\n' ? chunk[..1] : default, output);
            return;
        }

        // [runStart, position) of the chunk is to be passed on and not yet written.
        var runStart = 0;
        var position = 0;
        while (position < chunk.Length && State is not (GuardState.Done or GuardState.Faulted))
        {
            var isOwed = _framer.OwesLineFeed && chunk[position] == (byte)'\n';
            var length = _framer.FindEventEnd(chunk[position..]);
            if (length < 0)
            {
                break;
            }

            var end = position + length;
            if (_waiting + length > maxEventBytes)
            {
                MakeRoom(chunk[runStart..position], output);
                runStart = position;
                if (_waiting + length > maxEventBytes)
                {
                    EndTooLarge(output);
                    break;
                }
            }

            if (_waiting > 0 && _tail.Length > 0)
            {
                // The event began in an earlier piece; nothing of this chunk is in a run yet.
                Keep(_tail, chunk[position..end]);
                Take(_tail.Span, output);
                Forget(_tail);
                runStart = position = end;
                continue;
            }

            var hold = false;
            if ((isOwed && _dropped) || !Accept(chunk[position..end], out hold))
            {
                // An event that is dropped takes its whole line end with it.
                WriteRun(chunk[runStart..position], output);
                runStart = position = end;
            }
            else if (hold)
            {
                WriteRun(chunk[runStart..position], output);
                Keep(_held, chunk[position..end]);
                runStart = position = end;
            }
            else
            {
                if (_waiting > 0)
                {
                    WriteRun(chunk[runStart..position], output);
                    ReleaseHeld(output);
                    runStart = position;
                }

                position = end;
            }
        }

        WriteRun(chunk[runStart..position], output);
        if (State is GuardState.Done or GuardState.Faulted || position == chunk.Length)
        {
            return;
        }

        if (_waiting + (chunk.Length - position) > maxEventBytes)
        {
            MakeRoom([], output);
            if (_waiting + (chunk.Length - position) > maxEventBytes)
            {
                EndTooLarge(output);
                return;
            }
        }

        Keep(_tail, chunk[position..]);
    }

    /// <summary>
    /// The attempt's body is over. <paramref name="fault"/> says how: none is a clean end. Sets the final
    /// <see cref="State"/> and writes what may still go on (a last event without its blank line, the missing end marker).
    /// </summary>
    public void End(FaultKind fault, IBufferWriter<byte> output)
    {
        if (fault == FaultKind.None && TailHasData())
        {
            // A body that ends cleanly may lack no more than its last line end or blank line.
            Push("\n"u8, output);
            if (TailHasData())
            {
                Push("\n"u8, output);
            }
        }

        switch (State)
        {
            case GuardState.Done or GuardState.Faulted:
                return;
            case GuardState.Flowing when fault == FaultKind.None && reader.IsFinished:
            case GuardState.Finished:
                reader.DropHeld();
                format.WriteMissingEnd(reader, output);
                State = GuardState.Done;
                return;
            default:
                Fail(fault != FaultKind.None ? fault : State == GuardState.Holding ? FaultKind.EmptyStream : FaultKind.EndedWithoutTerminal);
                return;
        }
    }

    public void Dispose()
    {
        _held.Dispose();
        _tail.Dispose();
        _scratch.Dispose();
    }

    /// <summary>Half a field's name, or a field without a value, would become an event that clients choke on.</summary>
    private bool TailHasData()
    {
        if (_tail.Length == 0 || State is not (GuardState.Holding or GuardState.Flowing))
        {
            return false;
        }

        var e = EventParser.Parse(format.Framing, _tail.Span, _isFirst, _scratch);
        return e.HasData && !e.Data.Trim(" \t\r\n"u8).IsEmpty;
    }

    private void Take(ReadOnlySpan<byte> raw, IBufferWriter<byte> output)
    {
        if (!Accept(raw, out var hold))
        {
            return;
        }

        if (hold)
        {
            Keep(_held, raw);
            return;
        }

        ReleaseHeld(output);
        WriteRun(raw, output);
    }

    /// <summary>An event that is too large is a fault, unless the answer was complete before it.</summary>
    private void EndTooLarge(IBufferWriter<byte> output)
    {
        if (!reader.IsFinished || State == GuardState.Holding)
        {
            Fail(FaultKind.EventTooLarge);
            return;
        }

        Forget(_tail);
        format.WriteMissingEnd(reader, output);
        State = GuardState.Done;
    }

    private void Fail(FaultKind fault)
    {
        State = GuardState.Faulted;
        Fault = fault;
        reader.DropHeld();
        Forget(_held);
        Forget(_tail);
    }

    /// <summary>
    /// Passes on what waits for a later event: that they leave together is worth less than the stream. What is held
    /// because nothing was committed yet stays.
    /// </summary>
    private void MakeRoom(ReadOnlySpan<byte> run, IBufferWriter<byte> output)
    {
        WriteRun(run, output);
        if (State == GuardState.Flowing)
        {
            ReleaseHeld(output);
            reader.KeepHeld();
        }
    }

    private void ReleaseHeld(IBufferWriter<byte> output)
    {
        if (_waiting > 0 && _held.Length > 0)
        {
            WriteRun(_held.Span, output);
            Forget(_held);
        }
    }

    private void Keep(PooledBuffer buffer, ReadOnlySpan<byte> bytes)
    {
        buffer.Append(bytes);
        _waiting += bytes.Length;
    }

    private void Forget(PooledBuffer buffer)
    {
        _waiting -= buffer.Length;
        buffer.Clear();
    }

    private void WriteRun(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        if (!bytes.IsEmpty)
        {
            output.Write(bytes);
            BytesPassed += bytes.Length;
        }
    }
}
