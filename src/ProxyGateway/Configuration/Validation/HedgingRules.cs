using ProxyGateway.Configuration.Parsing;

namespace ProxyGateway.Configuration.Validation;

/// <summary>Hedging that can never happen, and settings of it that have no effect.</summary>
internal static class HedgingRules
{
    private static readonly string[] s_observation = ["Percentile", "MinDelay", "MinSamples"];

    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        foreach (var cluster in model.Clusters)
        {
            if (cluster.Node["Hedging"] is { Kind: SettingKind.Object } hedging)
            {
                Check(model, cluster, hedging, diagnostics);
            }
        }
    }

    private static void Check(GatewayModel model, ClusterModel cluster, SettingNode hedging, DiagnosticBag diagnostics)
    {
        if (!IsTrue(hedging["Enabled"]))
        {
            foreach (var other in hedging.Children.Where(c => !c.Name.Equals("Enabled", StringComparison.OrdinalIgnoreCase)))
            {
                diagnostics.KeyWarning(other, "has no effect, because hedging is switched off", "set Enabled to true, or take the line out");
            }

            return;
        }

        if (hedging["Delay"] is not null)
        {
            foreach (var idle in s_observation.Select(n => hedging[n]).OfType<SettingNode>())
            {
                diagnostics.KeyWarning(idle, "has no effect beside Delay", "take one of the two out");
            }
        }

        var enabled = hedging["Enabled"]!;
        if (cluster.Destinations.Count == 1)
        {
            diagnostics.Warning(enabled, "nothing is ever hedged, because the cluster has one destination", "add a second destination, or switch it off");
        }

        if (IsTrue(cluster.Node.Find("SessionAffinity", "Enabled")))
        {
            diagnostics.Warning(enabled, "nothing is ever hedged, because SessionAffinity binds clients to one destination", "switch one of the two off");
        }

        if (model.Root.Find("StreamingFallback", "MaxAttempts")?.Value == "1")
        {
            diagnostics.Warning(enabled, "nothing is ever hedged, because StreamingFallback:MaxAttempts is 1", "set MaxAttempts to 2 or more");
        }
    }

    private static bool IsTrue(SettingNode? node) => bool.TryParse(node?.Value, out var on) && on;
}
