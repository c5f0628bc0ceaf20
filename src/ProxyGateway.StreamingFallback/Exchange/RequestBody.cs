using Microsoft.AspNetCore.Http;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.Limits;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>Why a body was not taken in.</summary>
internal enum BodyRefusal
{
    None,
    TooLarge,

    /// <summary>All bodies together would be too much.</summary>
    NoMemory,
}

/// <summary>The client's request body, read once and kept as long as an attempt may still need it.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Up to here an array is rented: it comes warm, and the next power of two is not far.</summary>
    private const int RentedUpTo = 4096;

    /// <summary>Up to here an exact array costs less than a rented one of the next power of two.</summary>
    private const int ExactUpTo = 64 * 1024;

    private const int ReadAtLeast = 4096;

    private readonly MemoryShare _memory;
    private bool _rented;
    private byte[] _array;
    private long _taken;

    private RequestBody(int size, bool rented, MemoryShare memory)
    {
        _array = rented ? Arrays.Rent(size) : GC.AllocateUninitializedArray<byte>(size);
        _rented = rented;
        _memory = memory;
        _taken = size;
    }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, Length);

    /// <summary>
    /// Reads the whole body, if it is not longer than <paramref name="maxBytes"/> and fits under <paramref name="memory"/>. Room is
    /// made as bytes arrive: what a client says it will send costs nothing.
    /// </summary>
    public static async ValueTask<(RequestBody? Body, BodyRefusal Refusal)> ReadAsync(HttpRequest request, int maxBytes, MemoryShare memory, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxBytes)
        {
            return (null, BodyRefusal.TooLarge);
        }

        var known = (int?)request.ContentLength;
        var size = Math.Min(known ?? ReadAtLeast, ExactUpTo);
        if (!memory.TryTake(size))
        {
            return (null, BodyRefusal.NoMemory);
        }

        var body = new RequestBody(size, rented: size != known || size <= RentedUpTo, memory);
        try
        {
            var refusal = await body.FillAsync(request.Body, known, maxBytes, cancellationToken);
            if (refusal == BodyRefusal.None)
            {
                return (body, refusal);
            }

            body.Dispose();
            return (null, refusal);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>The body will be kept for long: what was rented for it is exchanged for what it needs.</summary>
    public void Settle()
    {
        if (_rented && Length <= RentedUpTo)
        {
            var exact = Memory.ToArray();
            Arrays.Return(_array);
            (_array, _rented) = (exact, false);
        }
    }

    /// <summary>The memory is not given back: an attempt that is over may still be sending it.</summary>
    public void Abandon() => _rented = false;

    /// <summary>May be called only when no attempt reads the body any more.</summary>
    public void Dispose()
    {
        var array = _array;
        _array = [];
        Return(array, _rented);
        _memory.Return(_taken);
        _taken = 0;
    }

    private async ValueTask<BodyRefusal> FillAsync(Stream source, int? known, int maxBytes, CancellationToken cancellationToken)
    {
        while (Length != known)
        {
            if (Length == _array.Length && !TryGrow())
            {
                return BodyRefusal.NoMemory;
            }

            var read = await source.ReadAsync(_array.AsMemory(Length, Math.Min(_array.Length, known ?? int.MaxValue) - Length), cancellationToken);
            if (read == 0)
            {
                break;
            }

            Length += read;
            if (Length > maxBytes)
            {
                return BodyRefusal.TooLarge;
            }
        }

        return BodyRefusal.None;
    }

    private bool TryGrow()
    {
        if (!_memory.TryTake(_array.Length))
        {
            return false;
        }

        _taken += _array.Length;
        var grown = Arrays.Rent(_array.Length * 2);
        _array.CopyTo(grown, 0);
        Return(_array, _rented);
        _array = grown;
        return true;
    }

    private static void Return(byte[] array, bool rented)
    {
        if (rented)
        {
            Arrays.Return(array);
        }
    }
}
