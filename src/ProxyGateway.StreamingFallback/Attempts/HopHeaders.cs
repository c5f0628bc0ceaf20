using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ProxyGateway.StreamingFallback.Attempts;

/// <summary>Headers that are for the client's own hop only, because <c>Connection</c> names them (RFC 9110, section 7.6.1).</summary>
/// <remarks>Kestrel makes a plain <c>close</c> of <c>close, x-name</c> (likewise <c>keep-alive</c> and <c>upgrade</c>) before anybody sees it; such names are lost and the headers go on.</remarks>
internal static class HopHeaders
{
    /// <summary>To name them is a mistake or an attack: without them the request would be another one.</summary>
    private static readonly string[] NeverHopByHop =
    [
        HeaderNames.Host, HeaderNames.ContentLength, HeaderNames.ContentType, HeaderNames.ContentEncoding, HeaderNames.TransferEncoding, HeaderNames.Upgrade,
    ];

    public static void RemoveNamed(IHeaderDictionary headers)
    {
        foreach (var line in headers.Connection)
        {
            foreach (var name in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!NeverHopByHop.Contains(name, StringComparer.OrdinalIgnoreCase))
                {
                    headers.Remove(name);
                }
            }
        }
    }
}
