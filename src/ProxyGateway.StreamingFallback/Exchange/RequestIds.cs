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
        return given is [{ Length: > 0 and <= MaxLength } id] && IsWellFormed(id) ? id : New();
    }

    /// <summary>128 random bits. They need not be secret, so the system's generator, which is a call into the kernel, is not asked.</summary>
    private static string New()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
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
