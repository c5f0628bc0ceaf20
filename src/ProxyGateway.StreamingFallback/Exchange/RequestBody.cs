using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>The client's request body, read once and kept as long as an attempt may still need it.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Up to here an exact array costs less than a rented one of the next power of two.</summary>
    private const int ExactUpTo = 64 * 1024;

    private const int ReadAtLeast = 4096;

    private byte[] _array;
    private bool _rented;

    private RequestBody(byte[] array, int length, bool rented)
    {
        _array = array;
        Length = length;
        _rented = rented;
    }

    public int Length { get; }

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, Length);

    /// <summary>Reads the whole body; null where it is longer than <paramref name="maxBytes"/>.</summary>
    public static async ValueTask<RequestBody?> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxBytes)
        {
            return null;
        }

        var known = (int?)request.ContentLength;
        var rented = known is null or > ExactUpTo;
        var size = known ?? ReadAtLeast;
        var array = rented ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);
        var length = 0;
        try
        {
            while (length != known)
            {
                if (length == array.Length)
                {
                    var grown = ArrayPool<byte>.Shared.Rent(array.Length * 2);
                    array.CopyTo(grown, 0);
                    ArrayPool<byte>.Shared.Return(array);
                    array = grown;
                }

                var read = await request.Body.ReadAsync(array.AsMemory(length, Math.Min(array.Length, known ?? int.MaxValue) - length), cancellationToken);
                if (read == 0)
                {
                    break;
                }

                length += read;
                if (length > maxBytes)
                {
                    Return(array, rented);
                    return null;
                }
            }
        }
        catch
        {
            Return(array, rented);
            throw;
        }

        return new RequestBody(array, length, rented);
    }

    /// <summary>The memory is not given back: an attempt that is over may still be sending it.</summary>
    public void Abandon() => _rented = false;

    /// <summary>May be called only when no attempt reads the body any more.</summary>
    public void Dispose()
    {
        var array = _array;
        _array = [];
        Return(array, _rented);
    }

    private static void Return(byte[] array, bool rented)
    {
        if (rented && array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}
