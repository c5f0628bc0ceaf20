using System.Diagnostics;
using System.Net.Sockets;

namespace ProxyGateway.Benchmarks.Load.Wire;

/// <summary>
/// Sends one event per period on each of many streams, from one thread that wakes once a millisecond: no timer, no task and no
/// allocation per event, so that the upstream costs little more than its system calls.
/// </summary>
internal sealed class PacedStreams
{
    private readonly PriorityQueue<Stream, long> _due = new();
    private readonly Lock _gate = new();
    private readonly byte[] _event = [.. WireText.Content];

    public PacedStreams() => new Thread(Run) { IsBackground = true, Name = "pace" }.Start();

    public void Add(Socket socket, double perSecond)
    {
        var period = (long)(Stopwatch.Frequency / perSecond);
        lock (_gate)
        {
            // Each stream has a phase of its own, or all would send at the same instant.
            _due.Enqueue(new Stream(socket, period), Stopwatch.GetTimestamp() + Random.Shared.NextInt64(period));
        }
    }

    private void Run()
    {
        while (true)
        {
            Thread.Sleep(1);
            lock (_gate)
            {
                var now = Stopwatch.GetTimestamp();
                while (_due.TryPeek(out var stream, out var at) && at <= now)
                {
                    if (TrySend(stream.Socket))
                    {
                        // A late wake-up does not make a stream send twice in a row.
                        _due.DequeueEnqueue(stream, Math.Max(at + stream.Period, now));
                    }
                    else
                    {
                        _due.Dequeue();
                        stream.Socket.Dispose();
                    }
                }
            }
        }
    }

    private bool TrySend(Socket socket)
    {
        try
        {
            WireText.Stamp(_event);
            return socket.Send(_event, SocketFlags.None, out var error) == _event.Length && error == SocketError.Success;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private readonly record struct Stream(Socket Socket, long Period);
}
