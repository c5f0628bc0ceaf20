using System.Text.Json;
using System.Text.Unicode;
using ProxyGateway.StreamingFallback.Buffers;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats;

/// <summary>
/// What one reader may keep of the text it delivered, over all its buffers, and whether the whole can still be compared
/// with an answer. The buffers are the reader's; what happened here since <see cref="Mark"/> can be taken back.
/// </summary>
internal sealed class KeptText(int maxBytes)
{
    private int _kept;
    private bool _overflow;
    private bool _incomparable;
    private (int Kept, bool Overflow, bool Incomparable) _mark;

    /// <summary>False once more was delivered than is kept, or something that cannot be compared.</summary>
    public bool IsComparable => !_overflow && !_incomparable;

    public int Bytes => _kept;

    /// <summary>Something was delivered that no answer can be compared with.</summary>
    public void SetIncomparable() => _incomparable = true;

    /// <summary>Keeps the decoded string that <paramref name="reader"/> stands on at the end of <paramref name="buffer"/>.</summary>
    public void Append(ref Utf8JsonReader reader, PooledBuffer buffer)
    {
        if (!HasRoom(reader.ValueSpan.Length))
        {
            if (_mark.Overflow)
            {
                // No event can take that back any more: what is kept serves nothing.
                buffer.Clear();
            }

            return;
        }

        var before = buffer.Length;
        if (!JsonText.TryAppend(ref reader, buffer))
        {
            _incomparable = true;
        }

        _kept += buffer.Length - before;
    }

    /// <summary>Keeps <paramref name="text"/>, which needs no decoding.</summary>
    public void Append(ReadOnlySpan<byte> text, PooledBuffer buffer)
    {
        var wasOver = _overflow;
        if (!HasRoom(text.Length))
        {
            if (wasOver)
            {
                // What is kept serves nothing.
                buffer.Clear();
            }

            return;
        }

        if (!Utf8.IsValid(text))
        {
            _incomparable = true;
            return;
        }

        buffer.Append(text);
        _kept += text.Length;
    }

    /// <summary>A copy of <paramref name="bytes"/> that counts as kept; null where there is no room for it.</summary>
    public byte[]? Keep(ReadOnlySpan<byte> bytes)
    {
        if (!HasRoom(bytes.Length))
        {
            return null;
        }

        _kept += bytes.Length;
        return bytes.ToArray();
    }

    public void Mark() => _mark = (_kept, _overflow, _incomparable);

    public void BackToMark() => (_kept, _overflow, _incomparable) = _mark;

    private bool HasRoom(int bytes)
    {
        _overflow |= _kept + bytes > maxBytes;
        return !_overflow;
    }
}
