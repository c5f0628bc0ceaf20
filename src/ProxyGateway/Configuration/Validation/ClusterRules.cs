using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>What a cluster needs to be of use.</summary>
internal static class ClusterRules
{
    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        foreach (var cluster in model.Clusters)
        {
            if (cluster.Destinations.Count == 0)
            {
                diagnostics.KeyError(
                    cluster.Node["Destinations"] ?? cluster.Node,
                    $"cluster {cluster.Id} has no destination",
                    "write \"Destinations\": { \"a\": { \"Address\": \"http://127.0.0.1:3456\" } }");
            }

            if (!model.Routes.Any(r => Uses(r, cluster)) && !model.Clusters.Any(c => c.Fallback.Any(f => Names(f, cluster))))
            {
                diagnostics.KeyWarning(cluster.Node, "no route, model or fallback leads to this cluster", "name it in one of them, or take it out");
            }

            CheckFallbackReach(cluster, model, diagnostics);
        }

        if (model.Routes.Count == 0)
        {
            diagnostics.KeyWarning(
                model.Root.Find("ReverseProxy", "Routes") ?? model.Root["ReverseProxy"] ?? model.Root,
                "there is no route, so every request is answered 404",
                "write one under ReverseProxy:Routes");
        }
    }

    private static void CheckFallbackReach(ClusterModel cluster, GatewayModel model, DiagnosticBag diagnostics)
    {
        if (cluster.Node["Fallback"] is not { Children.Count: > 0 } fallback)
        {
            return;
        }

        var attempts = model.Root.Find("StreamingFallback", "MaxAttempts");
        if (attempts?.Value == "1")
        {
            diagnostics.KeyWarning(fallback, "no fallback is ever asked, because StreamingFallback:MaxAttempts is 1", "set MaxAttempts to 2 or more");
        }

        var routes = model.Routes.Where(r => Uses(r, cluster)).ToList();
        if (routes.Count > 0 && routes.TrueForAll(r => !r.IsGuarded))
        {
            diagnostics.KeyWarning(fallback, "no fallback is ever asked, because no route to this cluster has a Format", "set StreamingFallback:Format on the route");
        }
    }

    private static bool Uses(RouteModel route, ClusterModel cluster) =>
        (route.ClusterId is { } own && Names(own, cluster)) || route.Models.Any(m => Names(m, cluster));

    private static bool Names(SettingNode reference, ClusterModel cluster) => cluster.Id.Equals(reference.Value, StringComparison.OrdinalIgnoreCase);
}
