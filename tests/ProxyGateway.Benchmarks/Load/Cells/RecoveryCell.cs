using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ProxyGateway.Benchmarks.Load.Targets;
using ProxyGateway.Benchmarks.Load.Wire;

namespace ProxyGateway.Benchmarks.Load.Cells;

/// <summary>
/// How fast a broken stream is joined again: from the break at the upstream to the replay's arrival there, and from the replay's
/// answer leaving the upstream to its first spliced byte at the client. Streams one after the other, on a few connections.
/// </summary>
internal sealed class RecoveryCell(int connections, int streamsEach) : Cell
{
    public override string Name => "recovery";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var toReplay = new DelayHistogram();
        var toSplice = new DelayHistogram();
        var whole = await Task.WhenAll(Enumerable.Range(0, connections).Select(c => Task.Run(() => RunAsync(target.Port, c, toReplay, toSplice))));
        return new CellResult(
            new Dictionary<string, double>
            {
                ["break to replay p50 us"] = toReplay.Percentile(0.5),
                ["break to replay p99 us"] = toReplay.Percentile(0.99),
                ["replay to splice p50 us"] = toSplice.Percentile(0.5),
                ["replay to splice p99 us"] = toSplice.Percentile(0.99),
            },
            whole.Sum() == connections * streamsEach ? null : $"only {whole.Sum()} of {connections * streamsEach} streams were made whole");
    }

    private async Task<int> RunAsync(int port, int connection, DelayHistogram toReplay, DelayHistogram toSplice)
    {
        var whole = 0;
        using var client = new BrokenStreamClient();
        await client.ConnectAsync(port);
        for (var i = 0; i < streamsEach; i++)
        {
            if (await client.AskAsync($"cut=1&id={connection}.{i}.{Stopwatch.GetTimestamp()}") is not var (replay, splice))
            {
                break;
            }

            whole++;
            if (i >= streamsEach / 10)
            {
                // The first tenth warms up.
                lock (toReplay)
                {
                    toReplay.Add(replay);
                    toSplice.Add(splice);
                }
            }
        }

        return whole;
    }
}

/// <summary>Many streams that break at the same instant: how many become whole, how long the last one takes, and what memory that needs.</summary>
internal sealed class StormCell(int streams) : Cell
{
    public override string Name => "storm";

    public override async Task<CellResult> RunAsync(Target target)
    {
        var clients = Enumerable.Range(0, streams).Select(_ => new BrokenStreamClient()).ToList();
        try
        {
            foreach (var client in clients)
            {
                await client.ConnectAsync(target.Port);
            }

            var run = Stopwatch.GetTimestamp();
            var answers = clients.Select((c, i) => c.AskAsync(string.Create(CultureInfo.InvariantCulture, $"cut={streams}&id={run}.{i}"))).ToList();
            var all = Task.WhenAll(answers);
            var (idle, peak) = (ProcessCost.ResidentBytes(target.ProcessId), 0L);
            while (!all.IsCompleted)
            {
                peak = Math.Max(peak, ProcessCost.ResidentBytes(target.ProcessId));
                await Task.WhenAny(all, Task.Delay(20));
            }

            var whole = answers.Where(a => a is { IsCompletedSuccessfully: true, Result: not null }).Select(a => a.Result!.Value).ToList();
            return new CellResult(
                new Dictionary<string, double>
                {
                    ["made whole"] = whole.Count,
                    ["break to replay, last of all, ms"] = whole.Count > 0 ? whole.Max(a => a.Replay).TotalMilliseconds : double.NaN,
                    ["resident at most, MB more"] = (peak - idle) / 1e6,
                },
                whole.Count == streams ? null : $"only {whole.Count} of {streams} streams were made whole");
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }
}

/// <summary>A client whose streams break on the way, and who reads out of what it gets how they were joined.</summary>
internal sealed class BrokenStreamClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[16 * 1024];

    public Task ConnectAsync(int port) => _socket.ConnectAsync(IPAddress.Loopback, port);

    public void Dispose() => _socket.Dispose();

    /// <summary>Null where the stream was not made whole.</summary>
    public async Task<(TimeSpan Replay, TimeSpan Splice)?> AskAsync(string behaviour)
    {
        await _socket.SendAsync(WireText.Request(behaviour, stream: true));
        var length = 0;
        TimeSpan? replay = null;
        TimeSpan? splice = null;
        while (length < _buffer.Length)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length), patience.Token);
            length += read;
            if (splice is null && Digits(CutStreams.EventsBefore + 1, length) is { } sentAt)
            {
                splice = Stopwatch.GetElapsedTime(sentAt);
                replay = Stopwatch.GetElapsedTime(0, Digits(CutStreams.EventsBefore, length) ?? 0);
            }

            if (read == 0 || _buffer.AsSpan(0, length).EndsWith(WireText.LastChunk))
            {
                return read > 0 && splice is not null && _buffer.AsSpan(0, length).IndexOf("[DONE]"u8) >= 0 ? (replay!.Value, splice.Value) : null;
            }
        }

        return null;
    }

    /// <summary>The number before the mark at <paramref name="index"/>; null while that has not come.</summary>
    private long? Digits(int index, int length)
    {
        var from = 0;
        for (var i = 0; ; i++)
        {
            var next = _buffer.AsSpan(from, length - from).IndexOf(WireText.Mark);
            if (next < 0)
            {
                return null;
            }

            if (i == index)
            {
                return from + next >= WireText.TimeDigits
                    && Utf8Parser.TryParse(_buffer.AsSpan(from + next - WireText.TimeDigits, WireText.TimeDigits), out long digits, out _) ? digits : null;
            }

            from += next + 1;
        }
    }
}
