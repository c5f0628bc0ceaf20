using ProxyGateway.Configuration.Parsing;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Configuration.Validation;

/// <summary>
/// Formats along a chain. A cluster names no format; its own routes do. So a cluster that guarded routes have as their
/// own speaks the formats of those routes, and a cluster that none has as its own may speak any.
/// </summary>
internal static class FormatRules
{
    public static void Check(GatewayModel model, ValidationContext context, DiagnosticBag diagnostics)
    {
        CheckServed(model, context.ServedFormats, diagnostics);

        var spoken = model.Routes
            .Where(r => r.IsGuarded && r.ClusterId?.Value is not null)
            .GroupBy(r => r.ClusterId!.Value!, r => r.Format.ToLowerInvariant(), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => g.Distinct().Order(StringComparer.Ordinal).ToList(), StringComparer.OrdinalIgnoreCase);

        foreach (var route in model.Routes.Where(r => r.IsGuarded))
        {
            foreach (var target in Chain(route, model))
            {
                if (spoken.TryGetValue(target.Value!, out var formats) && !formats.Contains(route.Format, StringComparer.OrdinalIgnoreCase))
                {
                    diagnostics.Error(
                        target,
                        $"route {route.Id} speaks {route.Format.ToLowerInvariant()}, but this cluster's own routes speak {string.Join(" and ", formats)}",
                        $"name a cluster that speaks {route.Format.ToLowerInvariant()}; a chain has one format");
                }
            }
        }
    }

    private static void CheckServed(GatewayModel model, IReadOnlyCollection<string>? served, DiagnosticBag diagnostics)
    {
        foreach (var format in model.Routes.Where(r => served is not null && r.IsGuarded).Select(r => r.Node.Find("StreamingFallback", "Format")!))
        {
            if (ChatFormatNames.All.Contains(format.Value, StringComparer.OrdinalIgnoreCase) && !served!.Contains(format.Value, StringComparer.OrdinalIgnoreCase))
            {
                diagnostics.Error(format, "this build cannot guard that format", $"use one of {string.Join(", ", served!)}, or none for plain proxying");
            }
        }
    }

    /// <summary>Every reference to a further cluster that an exchange of this route can follow.</summary>
    private static IEnumerable<SettingNode> Chain(RouteModel route, GatewayModel model)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var open = new Queue<ClusterModel>();
        Enter(route.ClusterId?.Value);
        foreach (var target in route.Models.Where(m => m.IsScalar))
        {
            yield return target;
            Enter(target.Value);
        }

        while (open.TryDequeue(out var cluster))
        {
            foreach (var target in cluster.Fallback)
            {
                yield return target;
                Enter(target.Value);
            }
        }

        void Enter(string? id)
        {
            if (id is not null && seen.Add(id) && model.Cluster(id) is { } cluster)
            {
                open.Enqueue(cluster);
            }
        }
    }
}
