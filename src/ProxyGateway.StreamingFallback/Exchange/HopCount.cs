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

    /// <summary>False where the request has come through too many gateways (RFC 5842, section 7.2: 508 Loop Detected).</summary>
    public static bool TryAdd(IHeaderDictionary headers)
    {
        var hops = int.TryParse(headers[Header], NumberStyles.None, CultureInfo.InvariantCulture, out var known) ? known : 0;
        if (hops >= Max)
        {
            return false;
        }

        headers[Header] = (hops + 1).ToString(CultureInfo.InvariantCulture);
        return true;
    }
}
