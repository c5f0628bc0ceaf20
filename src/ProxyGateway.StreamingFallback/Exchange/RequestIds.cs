using Microsoft.AspNetCore.Http;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>The id that client, gateway, upstream and log share for one request.</summary>
internal static class RequestIds
{
    public const string Header = "x-request-id";

    private const int MaxLength = 128;

    /// <summary>The client's own id where it is well formed, else a new one.</summary>
    public static string Of(HttpRequest request)
    {
        var given = request.Headers[Header];
        return given is [{ Length: > 0 and <= MaxLength } id] && IsWellFormed(id) ? id : Guid.CreateVersion7().ToString("N");
    }

    private static bool IsWellFormed(string id)
    {
        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or ':'))
            {
                return false;
            }
        }

        return true;
    }
}
