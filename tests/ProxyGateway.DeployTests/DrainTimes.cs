using System.Globalization;

namespace ProxyGateway.DeployTests;

/// <summary>How long a gateway may take to stop, against how long somebody lets it.</summary>
internal static class DrainTimes
{
    /// <summary>For the endings of streams that outlast the drain; the host waits that long beyond it.</summary>
    public static readonly TimeSpan Endings = TimeSpan.FromSeconds(5);

    public static TimeSpan Default => new Configuration.DrainOptions() is var drain ? drain.Delay + drain.Timeout : default;

    /// <summary>Reads systemd's and compose's seconds: <c>75</c>, <c>75s</c>, <c>1m30s</c>.</summary>
    public static TimeSpan Seconds(string text)
    {
        var total = TimeSpan.Zero;
        var number = "";
        foreach (var c in text + (char.IsAsciiDigit(text[^1]) ? "s" : ""))
        {
            if (char.IsAsciiDigit(c))
            {
                number += c;
                continue;
            }

            var value = double.Parse(number, CultureInfo.InvariantCulture);
            number = "";
            total += c switch
            {
                's' => TimeSpan.FromSeconds(value),
                'm' => TimeSpan.FromMinutes(value),
                'h' => TimeSpan.FromHours(value),
                _ => throw new FormatException(text),
            };
        }

        return total;
    }
}
