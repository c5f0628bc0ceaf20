using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>
/// What YARP and ASP.NET Core know and this program does not have. Taken without a word it would answer every request of a route with
/// 500, or be a protection that is not there.
/// </summary>
internal static class HostFeatureRules
{
    private static readonly (string Key, string? Harmless, string Remedy)[] s_policies =
    [
        ("AuthorizationPolicy", "Anonymous", "leave it out; who may use a route is said under Clients"),
        ("RateLimiterPolicy", "Disable", "leave it out; Clients and the cluster's Concurrency have limits"),
        ("OutputCachePolicy", null, "leave it out; nothing is cached"),
        ("TimeoutPolicy", "Disable", "leave it out; Timeout is a plain route's own"),
        ("CorsPolicy", null, "leave it out, and answer browsers with the transform ResponseHeader"),
    ];

    public static void Check(GatewayModel model, SettingNode root, DiagnosticBag diagnostics)
    {
        foreach (var route in model.Routes)
        {
            foreach (var (key, harmless, remedy) in s_policies)
            {
                if (route.Node[key] is { IsScalar: true, Value.Length: > 0 } policy && !policy.Value.Equals(harmless, StringComparison.OrdinalIgnoreCase))
                {
                    diagnostics.Error(policy, "no such policy, this program has none", remedy);
                }
            }
        }

        if (root["AllowedHosts"] is { IsScalar: true, Value: not ("*" or "") } hosts)
        {
            diagnostics.Error(hosts, "this program filters no hosts by itself", "write the hosts into each route's Match:Hosts, and \"*\" or nothing here");
        }

        if (root["Kestrel"] is { Children.Count: > 0 } kestrel)
        {
            diagnostics.KeyError(kestrel, "has no effect here", "Gateway:Listen, Gateway:Certificate and Gateway:MaxConnections are this program's");
        }
    }
}
