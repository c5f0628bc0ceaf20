using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.StreamingFallback.Exchange;

/// <summary>One cluster of a plan, and the model to ask it for; null is the request's own.</summary>
internal sealed record PlannedCluster(ClusterSettings Settings, string? Model, bool IsFallback);

/// <summary>Which clusters may be asked for a request, in order. Pure.</summary>
internal static class AttemptPlan
{
    /// <summary>Null where the route knows no cluster for the request's model.</summary>
    public static IReadOnlyList<PlannedCluster>? For(RouteSettings route, ChatRequest request)
    {
        var first = route.Cluster;
        if (route.Models.Count > 0)
        {
            var match = request.Model is { } model ? route.Models.FirstOrDefault(m => m.Pattern.Matches(model)) : null;
            if (match is null && route.UnknownModel == UnknownModelAction.Reject)
            {
                return null;
            }

            first = match?.Cluster ?? route.Cluster;
        }

        var plan = new List<PlannedCluster>(1 + first.Fallback.Count) { new(first, null, IsFallback: false) };
        // Switched off is switched off: an open circuit or a missing destination does not lead to a fallback either.
        foreach (var target in route.RecoveryEnabled ? first.Fallback : [])
        {
            if (!plan.Exists(p => ReferenceEquals(p.Settings, target.Cluster)))
            {
                plan.Add(new PlannedCluster(target.Cluster, target.Model, IsFallback: true));
            }
        }

        return plan;
    }
}
