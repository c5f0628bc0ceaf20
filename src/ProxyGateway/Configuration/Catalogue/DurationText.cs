using System.Globalization;

namespace ProxyGateway.Configuration.Catalogue;

/// <summary>Durations as the file writes them: <c>[d.]hh:mm:ss[.fffffff]</c>, and nothing else (a bare 30 would be 30 days).</summary>
internal static class DurationText
{
    public static string Format(TimeSpan time)
    {
        var text = time.ToString("c", CultureInfo.InvariantCulture);
        return time.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }

    public static bool TryParse(string? text, out TimeSpan time)
    {
        time = default;
        return text is { Length: >= 8 } && char.IsAsciiDigit(text[0]) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out time)
            && text.Count(c => c == ':') == 2 && time.Ticks >= 0;
    }
}

internal static class NumberText
{
    public static string Format(double number) => number.ToString("0.##########", CultureInfo.InvariantCulture);
}
