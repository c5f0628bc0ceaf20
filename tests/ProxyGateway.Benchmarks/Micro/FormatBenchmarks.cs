using System.Buffers;
using BenchmarkDotNet.Attributes;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Sse;

namespace ProxyGateway.Benchmarks.Micro;

/// <summary>What an ordinary text event costs in each format. Each invocation is a whole answer of 10,000 events, its text kept; figures are per event.</summary>
[MemoryDiagnoser]
public class FormatBenchmarks
{
    private readonly PooledBuffer _scratch = new();
    private readonly ArrayBufferWriter<byte> _output = new(1 << 16);
    private ChatFormat _format = null!;
    private byte[][] _opening = null!;
    private byte[][] _events = null!;
    private (Range Type, Range Data)[] _fields = null!;

    public static IEnumerable<string> Formats => FormatEvents.Formats;

    [ParamsSource(nameof(Formats))]
    public string Format { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _format = ChatFormatRegistry.Find(Format)!;
        _opening = FormatEvents.Opening(Format);
        _events = [.. Enumerable.Range(0, FormatEvents.Count).Select(i => FormatEvents.Text(Format, i))];
        _fields = [.. _events.Select(Fields)];
        using var reader = NewReader();
        for (var i = 0; i < 3; i++)
        {
            if (reader.Read(Event(i)) != EventMeaning.Content)
            {
                throw new InvalidOperationException($"{Format}: not an ordinary text event");
            }
        }
    }

    /// <summary>The reader alone.</summary>
    [Benchmark(OperationsPerInvoke = FormatEvents.Count)]
    public bool Reader()
    {
        using var reader = NewReader();
        for (var i = 0; i < _events.Length; i++)
        {
            reader.Read(Event(i));
        }

        return reader.CanSplice;
    }

    /// <summary>All that happens to an event: found, parsed, read, passed on.</summary>
    [Benchmark(OperationsPerInvoke = FormatEvents.Count)]
    public long Guard()
    {
        using var reader = NewReader();
        using var guard = new StreamGuard(_format, reader, 1 << 20);
        foreach (var e in _events)
        {
            _output.ResetWrittenCount();
            guard.Push(e, _output);
        }

        return guard.BytesPassed;
    }

    private ChatStreamReader NewReader()
    {
        var reader = _format.NewReader(FormatEvents.Request, 1 << 24, TerminalProfile.Auto);
        foreach (var e in _opening)
        {
            reader.Read(EventParser.Parse(_format.Framing, e, isFirst: false, _scratch));
        }

        return reader;
    }

    private StreamEvent Event(int i) => new(_events[i], _events[i].AsSpan(_fields[i].Type), _events[i].AsSpan(_fields[i].Data), hasData: true);

    private (Range Type, Range Data) Fields(byte[] raw)
    {
        var e = EventParser.Parse(_format.Framing, raw, isFirst: false, _scratch);
        return (RangeOf(raw, e.Type), RangeOf(raw, e.Data));
    }

    private static Range RangeOf(byte[] raw, ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty)
        {
            return default;
        }

        raw.AsSpan().Overlaps(part, out var at);
        return at..(at + part.Length);
    }
}
