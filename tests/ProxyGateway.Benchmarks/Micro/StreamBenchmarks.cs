using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.StreamingFallback.Guard;
using ProxyGateway.StreamingFallback.Sse;

namespace ProxyGateway.Benchmarks.Micro;

/// <summary>What is paid per event. Each invocation handles one event.</summary>
[MemoryDiagnoser]
public class StreamBenchmarks
{
    private static readonly byte[] Event = Encoding.UTF8.GetBytes(
        """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":"some text"},"finish_reason":null}]}""" + "\n\n");

    private readonly OpenAIChatFormat _format = new();
    private readonly ChatRequest _request = new() { Streaming = true };
    private readonly PooledBuffer _scratch = new();
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private EventFramer _framer = new(StreamFraming.ServerSentEvents);
    private ChatStreamReader _reader = null!;
    private StreamGuard _guard = null!;

    [GlobalSetup]
    public void Setup()
    {
        // No more text is kept after a while, as in a long answer.
        _reader = _format.NewReader(_request, 1 << 20, TerminalProfile.Auto);
        _guard = new StreamGuard(_format, _format.NewReader(_request, 1 << 20, TerminalProfile.Auto), 1 << 20);
    }

    [Benchmark]
    public int Frame() => _framer.FindEventEnd(Event);

    [Benchmark]
    public int Parse() => EventParser.Parse(StreamFraming.ServerSentEvents, Event, isFirst: false, _scratch).Data.Length;

    [Benchmark]
    public int Read() => (int)_reader.Read(EventParser.Parse(StreamFraming.ServerSentEvents, Event, isFirst: false, _scratch));

    [Benchmark]
    public long Guard()
    {
        _output.ResetWrittenCount();
        _guard.Push(Event, _output);
        return _guard.BytesPassed;
    }
}
