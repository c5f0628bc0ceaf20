using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ProxyGateway.Benchmarks.Load.Wire;

/// <summary>
/// Streams that break in the middle, and the answers to their replays. A replay's answer says how long after the break it was
/// asked for, and when it was sent: <c>cut=N&amp;id=I</c>.
/// </summary>
internal sealed class CutStreams
{
    /// <summary>Content events before the break.</summary>
    public const int EventsBefore = 5;

    private readonly ConcurrentDictionary<string, long> _brokenAt = new();
    private readonly Lock _gate = new();
    private List<(Socket Socket, string Behaviour)> _open = [];

    public static byte[] Beginning { get; } = [.. WireText.StreamStart, .. Enumerable.Repeat(WireText.Content, EventsBefore).SelectMany(b => b)];

    /// <summary>Breaks all open streams at once when this is the last of the number that the behaviour names.</summary>
    public void Add(Socket socket, string behaviour)
    {
        List<(Socket Socket, string Behaviour)> ready;
        var together = int.Parse(behaviour.AsSpan(4, behaviour.IndexOf('&', StringComparison.Ordinal) - 4), CultureInfo.InvariantCulture);
        lock (_gate)
        {
            _open.Add((socket, behaviour));
            if (_open.Count < together)
            {
                return;
            }

            (ready, _open) = (_open, []);
        }

        if (together > 1)
        {
            // The events are on their way; the client shall have them all.
            Thread.Sleep(500);
        }

        foreach (var (stream, name) in ready)
        {
            _brokenAt[name] = Stopwatch.GetTimestamp();
            stream.Dispose();
        }
    }

    public byte[] Replay(string behaviour)
    {
        var now = Stopwatch.GetTimestamp();
        var since = _brokenAt.TryRemove(behaviour, out var brokenAt) ? now - brokenAt : 0;
        var delivered = string.Concat(Enumerable.Repeat($"{new string('0', WireText.TimeDigits)}~", EventsBefore));
        var body = "{\"id\":\"chatcmpl-other\",\"object\":\"chat.completion\",\"created\":1700000001,\"model\":\"bench\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\","
            + $"\"message\":{{\"role\":\"assistant\",\"content\":\"{delivered}{since:D19}~{now:D19}~\"}}}}]}}";
        return Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }
}
