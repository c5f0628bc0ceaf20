using System.Buffers;

namespace ProxyGateway.StreamingFallback.Buffers;

/// <summary>
/// Arrays from the shared pool, as long as they are small. The pool keeps what it gets back for a while, per thread, core and size;
/// of large ones that would be a multiple of what is in use, so where memory is scarce only small ones go back.
/// </summary>
internal static class Arrays
{
    private static readonly int MaxPooled = (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2048, 64 * 1024, 1024 * 1024);

    public static byte[] Rent(int size) => size <= MaxPooled ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);

    public static void Return(byte[] array)
    {
        if (array.Length > 0 && array.Length <= MaxPooled)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}
