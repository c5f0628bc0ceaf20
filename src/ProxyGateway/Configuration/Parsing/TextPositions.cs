using System.Text;

namespace ProxyGateway.Configuration.Parsing;

/// <summary>Byte offsets of a UTF-8 text as line and column, both from 1, columns in characters as editors count them.</summary>
internal sealed class TextPositions
{
    private readonly ReadOnlyMemory<byte> _text;
    private readonly List<int> _lineStarts = [0];

    public TextPositions(ReadOnlyMemory<byte> text)
    {
        _text = text;
        var span = text.Span;
        for (var i = 0; i < span.Length; i++)
        {
            if (span[i] == (byte)'\n')
            {
                _lineStarts.Add(i + 1);
            }
        }
    }

    public (int Line, int Column) At(long offset)
    {
        var at = (int)Math.Clamp(offset, 0, _text.Length);
        var index = _lineStarts.BinarySearch(at);
        var line = index >= 0 ? index : ~index - 1;
        return (line + 1, Encoding.UTF8.GetCharCount(_text.Span[_lineStarts[line]..at]) + 1);
    }

    /// <summary>From a reader's zero-based line and byte within it.</summary>
    public (int Line, int Column) At(long line, long byteInLine) =>
        At(_lineStarts[(int)Math.Clamp(line, 0, _lineStarts.Count - 1)] + byteInLine);
}
