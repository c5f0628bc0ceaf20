using System.Text;

namespace ProxyGateway.DemoAgents;

/// <summary>The deterministic answer to a prompt.</summary>
internal static class DemoText
{
    private const ulong OtherSeed = 0x9E3779B97F4A7C15;
    private const string OtherOpening = "Otherwise";

    // Some words are longer than one byte per character, so that cuts and splices meet scalar boundaries.
    private static readonly string[] s_words =
    [
        "the", "stream", "goes", "on", "while", "a", "river", "carries", "every", "word", "down", "to", "some", "quiet",
        "harbour", "where", "boats", "wait", "for", "morning", "and", "nobody", "counts", "them", "café", "naïve", "東京",
        "🙂", "lantern", "window", "under", "stars", "we", "read", "slowly", "until", "its", "end", "is", "\"near\"",
    ];

    /// <summary>FNV-1a: equal on every machine, unlike <see cref="string.GetHashCode()"/>.</summary>
    public static ulong Hash(string text, ulong seed = 0xCBF29CE484222325)
    {
        foreach (var c in text)
        {
            seed = (seed ^ c) * 0x100000001B3;
        }

        return seed;
    }

    /// <summary>The tokens of the text; concatenated they are the text.</summary>
    /// <param name="other">The text of a diverging replay: it differs from the first word on.</param>
    public static string[] Tokens(ulong promptHash, int count, bool other)
    {
        var state = (other ? promptHash ^ OtherSeed : promptHash) | 1;
        var tokens = new string[count];
        for (var i = 0; i < count; i++)
        {
            var word = s_words[Next(ref state) % (ulong)s_words.Length];
            tokens[i] = i > 0 ? " " + word : other ? OtherOpening : word;
        }

        return tokens;
    }

    /// <summary>The arguments of a tool call in pieces; concatenated they are one JSON object.</summary>
    public static string[] ArgumentPieces(ulong promptHash, int count)
    {
        var pieces = Tokens(promptHash, count, other: false);
        for (var i = 0; i < pieces.Length; i++)
        {
            pieces[i] = pieces[i].Replace("\"", "\\\"", StringComparison.Ordinal);
        }

        pieces[0] = "{\"query\":\"" + pieces[0];
        pieces[^1] += "\"}";
        return pieces;
    }

    public static string Join(string[] tokens)
    {
        var text = new StringBuilder();
        foreach (var token in tokens)
        {
            text.Append(token);
        }

        return text.ToString();
    }

    private static ulong Next(ref ulong state)
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state >> 11;
    }
}
