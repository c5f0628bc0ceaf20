using System.Buffers;
using ProxyGateway.StreamingFallback.Buffers;

namespace ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;

/// <summary>
/// What a chunk that carries nothing but text looks like around the text. The chunks of an answer mostly differ in that alone,
/// and such a chunk need not be parsed again: it is the JSON that was parsed before, with another plain string in one place.
/// </summary>
internal sealed class ChunkPattern : IDisposable
{
    /// <summary>Longer chunks are rare, and what is learnt is copied.</summary>
    private const int MaxBytes = 2048;

    /// <summary>What a JSON string may not hold, or not mean literally.</summary>
    private static readonly SearchValues<byte> NotPlain = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    private readonly PooledBuffer _around = new();
    private int _textAt;
    private PooledBuffer? _channel;

    /// <summary>Takes over the shape of a chunk that was read and accepted. Its text must be a JSON string without escapes.</summary>
    /// <param name="chunk">The whole chunk.</param>
    /// <param name="text">Where the text stands in it, quotes excluded.</param>
    /// <param name="channel">What the text was appended to.</param>
    public void Learn(ReadOnlySpan<byte> chunk, Range text, PooledBuffer channel)
    {
        if (chunk.Length > MaxBytes)
        {
            return;
        }

        _around.Truncate(0);
        _around.Append(chunk[..text.Start.Value]);
        _around.Append(chunk[text.End.Value..]);
        _textAt = text.Start.Value;
        _channel = channel;
    }

    /// <summary>Whether <paramref name="chunk"/> is the one that was learnt but for its text.</summary>
    public bool Matches(ReadOnlySpan<byte> chunk, out ReadOnlySpan<byte> text, out PooledBuffer channel)
    {
        text = default;
        channel = _channel!;
        var around = _around.Span;
        if (_channel is null || chunk.Length <= around.Length || !chunk.StartsWith(around[.._textAt]) || !chunk.EndsWith(around[_textAt..]))
        {
            return false;
        }

        text = chunk.Slice(_textAt, chunk.Length - around.Length);
        return !text.ContainsAny(NotPlain);
    }

    public void Dispose() => _around.Dispose();
}
