using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>
/// How many gateways a request has come through. A cluster that leads back to a gateway in front of it would otherwise multiply
/// one request until everything is full; each hop may ask several times.
/// </summary>
internal static class HopCount
{
    public const string Header = "x-gateway-hops";

    /// <summary>Gateways in a row that make sense: one per team, one per site.</summary>
    private const int Max = 4;

    /// <summary>Counts this gateway. False where the request has come through too many (RFC 5842, section 7.2: 508 Loop Detected).</summary>
    public static bool TryAdd(IHeaderDictionary headers)
    {
        var told = headers[Header];
        if (told.Count == 0)
        {
            return true;
        }

        var hops = int.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out var known) ? known : 0;
        if (hops >= Max)
        {
            return false;
        }

        headers[Header] = (hops + 1).ToString(CultureInfo.InvariantCulture);
        return true;
    }

    /// <summary>What the next hop is told, once <see cref="TryAdd"/> has counted: without a word of others this gateway is the first.</summary>
    public static string Told(IHeaderDictionary headers) => headers[Header] is [{ } hops] ? hops : "1";
}
