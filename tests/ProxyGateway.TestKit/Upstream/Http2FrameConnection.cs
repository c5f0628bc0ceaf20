using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.TestKit.Upstream;

/// <summary>One connection of a <see cref="FramedHttp2Upstream"/>. Knows as much of HTTP/2 as small answers need; header blocks are written and never read.</summary>
internal sealed class Http2FrameConnection(FramedHttp2Upstream upstream, Socket socket, int number)
{
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Reset = 3;
    private const byte Settings = 4;
    private const byte Ping = 6;
    private const byte GoAway = 7;
    private const byte EndStream = 1;
    private const byte Acknowledge = 1;

    private readonly NetworkStream _stream = new(socket, ownsSocket: true);
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Dictionary<int, List<byte>> _bodies = [];
    private readonly ConcurrentDictionary<int, CancellationTokenSource> _running = new();
    private int _last;
    private bool _gone;

    public async Task RunAsync(CancellationToken stop)
    {
        List<Task> playing = [];
        try
        {
            await _stream.ReadExactlyAsync(new byte[24], stop).ConfigureAwait(false);
            await WriteAsync(Settings, 0, 0, [], stop).ConfigureAwait(false);
            var head = new byte[9];
            while (true)
            {
                await _stream.ReadExactlyAsync(head, stop).ConfigureAwait(false);
                var payload = new byte[(head[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1))];
                await _stream.ReadExactlyAsync(payload, stop).ConfigureAwait(false);
                if (await TakeAsync(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload, stop).ConfigureAwait(false) is { } begun)
                {
                    playing.Add(begun);
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer has left, or the test is over.
        }

        foreach (var stream in _running.Values)
        {
            await stream.CancelAsync().ConfigureAwait(false);
        }

        await Task.WhenAll(playing).ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    public Task GoAwayAsync() => GoAwayAsync(_last, CancellationToken.None);

    /// <summary>Takes one frame; a request that is whole is begun.</summary>
    private async Task<Task?> TakeAsync(byte type, byte flags, int stream, byte[] payload, CancellationToken stop)
    {
        switch (type)
        {
            case Settings when (flags & Acknowledge) == 0:
                await WriteAsync(Settings, Acknowledge, 0, [], stop).ConfigureAwait(false);
                return null;
            case Ping when (flags & Acknowledge) == 0:
                await WriteAsync(Ping, Acknowledge, 0, payload, stop).ConfigureAwait(false);
                return null;
            // What comes after a GOAWAY is nobody's: its sender asks again elsewhere.
            case Headers when !_gone:
                _bodies[stream] = [];
                break;
            case Data when _bodies.TryGetValue(stream, out var body):
                body.AddRange(payload);
                break;
            case Reset when _running.TryRemove(stream, out var cancelled):
                await cancelled.CancelAsync().ConfigureAwait(false);
                return null;
            default:
                return null;
        }

        if ((flags & EndStream) == 0 || !_bodies.Remove(stream, out var whole))
        {
            return null;
        }

        if (upstream.Refuse?.Invoke([.. whole]) == true)
        {
            await GoAwayAsync(_last, stop).ConfigureAwait(false);
            return null;
        }

        // Bodies do not end in the order in which their streams began.
        _last = Math.Max(_last, stream);
        var cancel = _running[stream] = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var (exchange, script) = upstream.Next(number, [.. whole]);
        return PlayAsync(stream, script, exchange, cancel.Token);
    }

    private async Task PlayAsync(int stream, UpstreamScript script, RecordedExchange exchange, CancellationToken cancel)
    {
        try
        {
            foreach (var step in script.Steps)
            {
                await PlayAsync(stream, step, exchange, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            exchange.End(AttemptEnding.CancelledByGateway);
        }
    }

    private async Task PlayAsync(int stream, UpstreamStep step, RecordedExchange exchange, CancellationToken cancel)
    {
        switch (step)
        {
            case WriteHead head:
                await WriteAsync(Headers, 4, stream, Block(head), cancel).ConfigureAwait(false);
                exchange.HeadSent(head);
                break;
            case WriteBody { Bytes: var bytes }:
                await WriteAsync(Data, 0, stream, bytes.ToArray(), cancel).ConfigureAwait(false);
                exchange.BodySent(bytes.Span);
                break;
            case Delay delay:
                await Task.Delay(delay.Time, cancel).ConfigureAwait(false);
                break;
            case WaitFor wait:
                await wait.Signal.WaitAsync(cancel).ConfigureAwait(false);
                break;
            case EndClean:
                await WriteAsync(Data, EndStream, stream, [], cancel).ConfigureAwait(false);
                exchange.End(AttemptEnding.Clean);
                break;
            default:
                throw new NotSupportedException(step.ToString());
        }
    }

    private async Task GoAwayAsync(int last, CancellationToken cancel)
    {
        _gone = true;
        var payload = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(payload, last);
        await WriteAsync(GoAway, 0, 0, payload, cancel).ConfigureAwait(false);
    }

    private async Task WriteAsync(byte type, byte flags, int stream, byte[] payload, CancellationToken cancel)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)payload.Length);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        await _writing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            await _stream.WriteAsync(frame, cancel).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Literal fields without indexing.</summary>
    private static byte[] Block(WriteHead head)
    {
        List<byte> block = [];
        foreach (var (name, value) in head.Headers.Prepend(KeyValuePair.Create(":status", $"{head.Status}")))
        {
            block.AddRange([0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name.ToLowerInvariant()), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)]);
        }

        return [.. block];
    }
}
