using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>Every cluster that is named exists, and fallbacks lead somewhere else.</summary>
internal static class ReferenceRules
{
    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        foreach (var route in model.Routes)
        {
            CheckExists(route.ClusterId, model, diagnostics);
            foreach (var target in route.Models)
            {
                CheckExists(target, model, diagnostics);
            }

            if (!route.IsGuarded && route.Models.Count > 0)
            {
                diagnostics.KeyError(
                    route.Node.Find("StreamingFallback", "Models")!,
                    "Models has no effect, because the route's Format is none",
                    "set Format to the chat format of the route, as openai-chat");
            }
        }

        foreach (var cluster in model.Clusters)
        {
            var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var entry in cluster.Node["Fallback"]?.Children ?? [])
            {
                if (entry["Cluster"] is not { IsScalar: true } target)
                {
                    continue;
                }

                CheckExists(target, model, diagnostics);
                // An exchange asks each cluster once, whatever the model.
                if (target.Value!.Equals(cluster.Id, StringComparison.OrdinalIgnoreCase))
                {
                    diagnostics.Error(target, "the cluster is its own fallback", OtherCluster(entry, "name another cluster; the same request is replayed on this one anyway"));
                }
                else if (!seen.Add(target.Value))
                {
                    diagnostics.Error(target, "the cluster stands twice in this fallback list", OtherCluster(entry, "keep the first one"));
                }
            }

            CheckCycle(cluster, model, diagnostics);
        }
    }

    private static string OtherCluster(SettingNode entry, string otherwise) =>
        entry["Model"]?.Value is null ? otherwise : "give the other model a cluster of its own with the same destinations";

    private static void CheckExists(SettingNode? reference, GatewayModel model, DiagnosticBag diagnostics)
    {
        if (reference is { IsScalar: true, Value.Length: > 0 } && model.Cluster(reference.Value) is null)
        {
            diagnostics.Error(reference, "no such cluster", NearMiss.Suggest(reference.Value, model.Clusters.Select(c => c.Id), "clusters"));
        }
    }

    private static void CheckCycle(ClusterModel start, GatewayModel model, DiagnosticBag diagnostics)
    {
        foreach (var first in start.Fallback)
        {
            if (Walk(first, [start.Id]) is { } circle)
            {
                diagnostics.Error(first, $"fallbacks run in a circle: {string.Join(" → ", circle)}", "take one of them out, so that the chain ends");
            }
        }

        // Each circle is reported once: at the cluster of it that comes first in the file.
        List<string>? Walk(SettingNode target, List<string> path)
        {
            if (target.Value!.Equals(start.Id, StringComparison.OrdinalIgnoreCase))
            {
                return path.Count > 1 && path.TrueForAll(id => IndexOf(id) >= IndexOf(start.Id)) ? [.. path, start.Id] : null;
            }

            if (path.Contains(target.Value, StringComparer.OrdinalIgnoreCase) || model.Cluster(target.Value) is not { } cluster)
            {
                return null;
            }

            foreach (var next in cluster.Fallback)
            {
                if (Walk(next, [.. path, cluster.Id]) is { } circle)
                {
                    return circle;
                }
            }

            return null;
        }

        int IndexOf(string id) => model.Clusters.Select(c => c.Id).ToList().FindIndex(c => c.Equals(id, StringComparison.OrdinalIgnoreCase));
    }
}
