using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>One cluster of a plan, and the model to ask it for; null is the request's own.</summary>
internal sealed record PlannedCluster(ClusterSettings Settings, string? Model, bool IsFallback);

/// <summary>Which clusters may be asked for a request, in order. Pure.</summary>
internal static class AttemptPlan
{
    /// <summary>Null where the route knows no cluster for the request's model.</summary>
    public static IReadOnlyList<PlannedCluster>? For(RouteSettings route, ChatRequest request) =>
        route.PlanForAll is { Count: > 0 } plan ? plan : Make(route, request.Model);

    /// <summary>The plan of a route that looks at no model, which is the same for every request. Empty where it is made for each.</summary>
    public static IReadOnlyList<PlannedCluster> ForAll(RouteSettings route) => LooksAtModel(route) ? [] : Make(route, null)!;

    private static bool LooksAtModel(RouteSettings route) =>
        route.Models.Count > 0 || route.ModelAliases.Count > 0 || route.AllClusters().Any(c => c.ModelMap.Count > 0 || c.Fallback.Any(f => f.Model is not null));

    private static List<PlannedCluster>? Make(RouteSettings route, string? asked)
    {
        var first = route.Cluster;
        var model = asked is { } named ? route.ModelAliases.GetValueOrDefault(named, named) : null;
        if (route.Models.Count > 0)
        {
            var match = model is not null ? route.Models.FirstOrDefault(m => m.Pattern.Matches(model)) : null;
            if (match is null && route.UnknownModel == UnknownModelAction.Reject)
            {
                return null;
            }

            first = match?.Cluster ?? route.Cluster;
        }

        var plan = new List<PlannedCluster>(1 + first.Fallback.Count) { new(first, NameFor(first, null), IsFallback: false) };
        // Switched off is switched off: an open circuit or a missing destination does not lead to a fallback either.
        foreach (var target in route.RecoveryEnabled ? first.Fallback : [])
        {
            if (!plan.Exists(p => ReferenceEquals(p.Settings, target.Cluster)))
            {
                plan.Add(new PlannedCluster(target.Cluster, NameFor(target.Cluster, target.Model), IsFallback: true));
            }
        }

        return plan;

        // Null where the client's own word serves, so that its bytes do too.
        string? NameFor(ClusterSettings cluster, string? wanted)
        {
            wanted ??= model;
            var known = wanted is null ? null : cluster.ModelMap.GetValueOrDefault(wanted, wanted);
            return known == asked ? null : known;
        }
    }
}
