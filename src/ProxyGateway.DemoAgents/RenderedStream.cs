using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ProxyGateway.DemoAgents;

/// <summary>A whole answer as bytes, and where its events end: playing it costs a write per burst and nothing else.</summary>
/// <param name="Bytes">The events one after the other.</param>
/// <param name="Ends">The end of each event in <paramref name="Bytes"/>.</param>
/// <param name="FirstContent">How many events come before the first content.</param>
/// <param name="ContentCount">How many content events there are; after them comes the ending.</param>
internal sealed record RenderedStream(byte[] Bytes, int[] Ends, int FirstContent, int ContentCount)
{
    public ReadOnlyMemory<byte> Opening => Bytes.AsMemory(0, End(FirstContent));

    public ReadOnlyMemory<byte> Ending => Bytes.AsMemory(End(FirstContent + ContentCount));

    /// <summary>The content events from <paramref name="from"/> to before <paramref name="to"/>.</summary>
    public ReadOnlyMemory<byte> Content(int from, int to) => Bytes.AsMemory(End(FirstContent + from)..End(FirstContent + to));

    /// <summary>The first half of the event that follows <paramref name="after"/> content events.</summary>
    public ReadOnlyMemory<byte> HalfEvent(int after)
    {
        var start = End(FirstContent + after);
        return Bytes.AsMemory(start, (End(FirstContent + after + 1) - start) / 2);
    }

    private int End(int events) => events == 0 ? 0 : Ends[events - 1];
}

/// <summary>Builds a <see cref="RenderedStream"/> event by event.</summary>
internal sealed class StreamRendering : IDisposable
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _buffer = new(16 * 1024);
    private readonly List<int> _ends = [];
    private readonly Utf8JsonWriter _json;
    private int _firstContent = -1;
    private int _contentEnd = -1;

    public StreamRendering() => _json = new Utf8JsonWriter(_buffer, s_json);

    public void ContentStarts() => _firstContent = _ends.Count;

    public void ContentEnds() => _contentEnd = _ends.Count;

    public void Event(string? name, Action<Utf8JsonWriter> write)
    {
        if (name is not null)
        {
            Raw("event: "u8);
            _buffer.Write(System.Text.Encoding.UTF8.GetBytes(name));
            Raw("\n"u8);
        }

        Raw("data: "u8);
        _json.Reset();
        _json.WriteStartObject();
        write(_json);
        _json.WriteEndObject();
        _json.Flush();
        EndEvent("\n\n"u8);
    }

    /// <summary>The last bytes of an event, or a whole event that is not JSON.</summary>
    public void EndEvent(ReadOnlySpan<byte> bytes)
    {
        Raw(bytes);
        _ends.Add(_buffer.WrittenCount);
    }

    public RenderedStream Build() =>
        new(_buffer.WrittenSpan.ToArray(), [.. _ends], _firstContent, _contentEnd - _firstContent);

    public void Dispose() => _json.Dispose();

    /// <summary>One JSON object by itself.</summary>
    public static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer, s_json);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private void Raw(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);
}
