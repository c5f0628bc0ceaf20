using System.Globalization;
using System.Text;

namespace ProxyGateway.Management.Api;

/// <summary>Words of a caller, fit for one line of a log: bounded, and without what breaks or turns a line.</summary>
internal static class PlainText
{
    public static string Of(string? text, int maxLength)
    {
        var plain = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (plain.Length + rune.Utf16SequenceLength > maxLength)
            {
                plain.Append('…');
                break;
            }

            // Format characters turn the direction of what follows; unpaired halves come as U+FFFD already.
            var harmless = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
            plain.Append(harmless ? rune.ToString() : " ");
        }

        return plain.ToString().Trim();
    }
}
