using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;
using ProxyGateway.Configuration;

namespace ProxyGateway.Management.Security;

/// <summary>Why a request to the management port is turned away.</summary>
internal sealed record Refusal(int Status, string Code, string Message);

/// <summary>
/// Who may use the management port. There is no log-in: on loopback whoever is on the machine may, elsewhere whoever has the key.
/// What is kept out everywhere is another site's page in the browser of somebody who may. Pure.
/// </summary>
internal sealed class ManagementAccess(GatewayOptions options)
{
    /// <summary>No form and no simple cross-site request can carry it.</summary>
    public const string MarkHeader = "x-gateway-management";

    private readonly byte[]? _keyHash = string.IsNullOrEmpty(options.ManagementKey) ? null : Hash(options.ManagementKey);

    public bool OnLoopback { get; } = IsLoopback(options.ManagementListen);

    public bool NeedsKey => !OnLoopback || _keyHash is not null;

    /// <summary>Null where the request may go on. For the page and the API; metrics and health are open to whoever reaches the port.</summary>
    public Refusal? Judge(HttpRequest request)
    {
        // A foreign name that leads here is another site's (DNS rebinding); elsewhere the key keeps it out.
        if (OnLoopback && !IsLoopbackName(request.Host.Host))
        {
            return Forbidden("host_not_allowed", "This port answers to localhost, 127.0.0.1 and [::1] only.");
        }

        if (!request.Path.StartsWithSegments("/api"))
        {
            return null;
        }

        return JudgeSite(request) ?? JudgeMark(request) ?? JudgeKey(request);
    }

    private static Refusal? JudgeSite(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"];
        if (site.Count > 0 && site.ToString() is not ("same-origin" or "none"))
        {
            return Forbidden("cross_site", "Another site's page may not use the management API.");
        }

        var origin = request.Headers.Origin;
        return origin.Count > 0 && !origin.ToString().Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase)
            ? Forbidden("cross_site", "Another site's page may not use the management API.")
            : null;
    }

    private static Refusal? JudgeMark(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || request.Headers[MarkHeader] == "1"
            ? null
            : Forbidden("mark_missing", $"A change needs the header {MarkHeader}: 1.");

    private Refusal? JudgeKey(HttpRequest request)
    {
        if (!NeedsKey)
        {
            return null;
        }

        if (_keyHash is null)
        {
            return Forbidden("no_key_configured", "The management port is not on loopback, and Gateway:ManagementKey is not set. Set it (best as a secret file), or listen on 127.0.0.1.");
        }

        const string Scheme = "Bearer ";
        var given = request.Headers[HeaderNames.Authorization].ToString();
        return given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(given[Scheme.Length..].Trim()), _keyHash)
                ? null
                : new Refusal(StatusCodes.Status401Unauthorized, "key_required", "The management key is needed: Authorization: Bearer.");
    }

    private static Refusal Forbidden(string code, string message) => new(StatusCodes.Status403Forbidden, code, message);

    /// <summary>Of equal length whatever the key's is, so that not even that shows in the time.</summary>
    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static bool IsLoopback(string url)
    {
        var address = BindingAddress.Parse(url);
        return address.IsUnixPipe || IsLoopbackName(address.Host);
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}
