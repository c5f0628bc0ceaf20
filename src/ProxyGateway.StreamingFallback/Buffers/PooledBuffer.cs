using System.Buffers;

namespace ProxyGateway.StreamingFallback.Buffers;

/// <summary>A growing byte buffer over the shared array pool. Holds no array until the first byte. Not thread-safe.</summary>
internal sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    /// <summary>Most buffers of an open stream stay this small; the others double soon enough.</summary>
    private const int Smallest = 64;

    private byte[] _array = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _array.AsSpan(0, Length);

    /// <summary>What was written, to be changed in place.</summary>
    public Span<byte> WrittenSpan => _array.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, Length);

    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
    }

    public void Append(byte value)
    {
        GetSpan(1)[0] = value;
        Length++;
    }

    /// <summary>Forgets everything after <paramref name="length"/> bytes; the array is kept.</summary>
    public void Truncate(int length) => Length = Math.Min(Length, length);

    /// <summary>Forgets everything and gives the array back.</summary>
    public void Clear()
    {
        var array = _array;
        _array = [];
        Length = 0;
        Arrays.Return(array);
    }

    /// <summary>Forgets everything and leaves the array to the garbage collector: somebody may still read it.</summary>
    public void Abandon()
    {
        _array = [];
        Length = 0;
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(Length);
    }

    public void Dispose() => Clear();

    private void Reserve(int sizeHint)
    {
        var needed = Length + Math.Max(sizeHint, 1);
        if (needed <= _array.Length)
        {
            return;
        }

        var grown = Arrays.Rent(Math.Max(needed, Math.Max(Smallest, _array.Length * 2)));
        Span.CopyTo(grown);
        Arrays.Return(_array);
        _array = grown;
    }
}
