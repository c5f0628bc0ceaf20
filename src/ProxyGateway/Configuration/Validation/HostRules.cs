using System.Buffers;
using System.Globalization;
using System.Net;

namespace ProxyGateway.Configuration.Validation;

/// <summary>The hosts of a route. Routing reads them at the first request, and one that it cannot read stops it for good.</summary>
internal static class HostRules
{
    private static readonly SearchValues<char> s_never = SearchValues.Create("*/\\@?#[] \t");

    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        foreach (var host in model.Routes.SelectMany(r => r.Node.Find("Match", "Hosts")?.Children ?? []))
        {
            // An empty one is YARP's to find.
            if (host is not { IsScalar: true, Value.Length: > 0 } || IsHost(host.Value))
            {
                continue;
            }

            diagnostics.Error(host, "not a host to match", Remedy(host.Value));
        }
    }

    private static bool IsHost(string text)
    {
        var parts = text.Split(':');
        if (parts.Length > 2 || (parts.Length == 2 && !IsPort(parts[1])))
        {
            return false;
        }

        var name = parts[0].StartsWith("*.", StringComparison.Ordinal) ? parts[0][2..] : parts[0];
        return parts[0] == "*" || (name.Length > 0 && !name.AsSpan().ContainsAny(s_never));
    }

    private static bool IsPort(string text) =>
        text == "*" || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= IPEndPoint.MaxPort);

    private static string Remedy(string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4)
        {
            return $"write \"{(uri.IsDefaultPort ? uri.Host : uri.Authority)}\"";
        }

        return IPAddress.TryParse(text, out _)
            ? "routing cannot match an IPv6 address; match by Path alone"
            : "write \"example.com\", \"*.example.com\" or \"example.com:8080\"";
    }
}
