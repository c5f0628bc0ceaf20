using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>A few replacements in a body, written in one pass; all other bytes stay as the client sent them.</summary>
internal ref struct BodyEdits(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> _body = body;
    private readonly List<(int Start, int End, byte[] With)> _edits = [];

    /// <summary>Replaces <paramref name="range"/>; an empty range at its start inserts. Ranges may not overlap.</summary>
    public readonly void Replace(Range range, byte[] with) => _edits.Add((range.Start.Value, range.End.Value, with));

    /// <summary>Gives a member of the top object a new value; where it is absent (<paramref name="value"/> is empty) it is added as the first.</summary>
    public readonly void SetMember(Range value, string name, byte[] with)
    {
        if (!value.Equals(default))
        {
            Replace(value, with);
            return;
        }

        var start = _body.IndexOf((byte)'{') + 1;
        var isEmpty = _body[start..].TrimStart(" \t\r\n"u8).StartsWith((byte)'}');
        var isSecond = isEmpty && _edits.Exists(e => e.Start == start);
        byte[] member = [.. isSecond ? ","u8 : ""u8, .. Quote(name), (byte)':', .. with, .. isEmpty ? ""u8 : ","u8];
        Replace(start..start, member);
    }

    public readonly void Write(IBufferWriter<byte> output)
    {
        var position = 0;
        // What is inserted goes in front of what is replaced at the same place; two insertions stay in their order.
        foreach (var (start, end, with) in _edits.OrderBy(static e => (e.Start, e.End)))
        {
            output.Write(_body[position..start]);
            output.Write(with);
            position = end;
        }

        output.Write(_body[position..]);
    }

    /// <summary><paramref name="text"/> as a JSON string, quotes included.</summary>
    public static byte[] Quote(string text) =>
        [(byte)'"', .. JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes, (byte)'"'];
}
