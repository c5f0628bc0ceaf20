namespace ProxyGateway.StreamingFallback.ChatFormats.Json;

/// <summary>How a text that is there at once is cut into the pieces of a made stream.</summary>
internal static class TextPieces
{
    /// <summary>Pieces a person can watch arrive, yet few events.</summary>
    private const int MaxPieceBytes = 256;

    /// <summary>How much of <paramref name="text"/> makes the next piece: up to a space where there is one, never inside a scalar.</summary>
    public static int Take(ReadOnlySpan<byte> text)
    {
        if (text.Length <= MaxPieceBytes)
        {
            return text.Length;
        }

        var space = text[..MaxPieceBytes].LastIndexOf((byte)' ');
        if (space > 0)
        {
            return space;
        }

        var cut = MaxPieceBytes;
        while (cut > 1 && (text[cut] & 0xC0) == 0x80)
        {
            cut--;
        }

        return cut;
    }
}
