using ProxyGateway.Configuration.Parsing;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Configuration.Validation;

/// <summary>What makes no sense in front of agentapi: its conversation lives in one agent, and some of its answers may take long.</summary>
internal static class AgentApiRules
{
    /// <summary>A message is answered once the agent has begun to work on it; until then questions for the state wait as well.</summary>
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(20);

    private static readonly string[] BadProbes = ["status", "messages", "message", "events", "screen"];

    public static void Check(GatewayModel model, DiagnosticBag diagnostics)
    {
        var routes = model.Routes.Where(r => r.Format.Equals(ChatFormatNames.AgentApi, StringComparison.OrdinalIgnoreCase)).ToList();
        foreach (var route in routes)
        {
            CheckRoute(route.Node["StreamingFallback"]!, diagnostics);
        }

        foreach (var cluster in routes.Select(r => model.Cluster(r.ClusterId?.Value)).OfType<ClusterModel>().Distinct())
        {
            CheckCluster(cluster, diagnostics);
        }
    }

    private static void CheckRoute(SettingNode options, DiagnosticBag diagnostics)
    {
        if (options["Replay"] is { IsScalar: true } replay && !string.Equals(replay.Value, nameof(ReplayPolicy.Never), StringComparison.OrdinalIgnoreCase))
        {
            diagnostics.Error(replay, "an agent acts on each message, so none is ever sent twice", "leave it out");
        }

        foreach (var name in new[] { "Models", "ModelAliases", "UnknownModel", "ResponseFormat", "OnMidStreamFailure" })
        {
            if (options[name] is { } useless)
            {
                diagnostics.KeyError(useless, "has no meaning with the format agentapi, whose requests name no model and whose streams have no end", "leave it out");
            }
        }
    }

    private static void CheckCluster(ClusterModel cluster, DiagnosticBag diagnostics)
    {
        if (cluster.Node["Fallback"] is { Children.Count: > 0 } fallback)
        {
            diagnostics.KeyError(fallback, "the conversation is in one agent; another one cannot go on with it", "leave it out");
        }

        if (cluster.Node.Find("HealthCheck", "Active", "Path") is { IsScalar: true } path
            && BadProbes.Contains(path.Value!.TrimEnd('/').Split('/')[^1], StringComparer.Ordinal))
        {
            diagnostics.Error(path, "is no health probe: it can wait for 17 s while the agent takes a message, or never end", "use /docs, which is always answered at once");
        }

        if (cluster.Destinations.Count > 1 && !string.Equals(cluster.Node.Find("SessionAffinity", "Enabled")?.Value, "true", StringComparison.OrdinalIgnoreCase))
        {
            diagnostics.KeyWarning(
                cluster.Node["Destinations"]!,
                "each agent has a conversation of its own, and a client's requests are spread over them",
                "switch SessionAffinity on, or give each agent a cluster and a route");
        }

        if (cluster.Time("Timeouts", "ResponseHeaders") is { Node: { } headers } limit && limit.Value < LongestAnswer)
        {
            diagnostics.Warning(headers, "cuts off messages that the agent takes its time to accept", "use at least 00:00:20");
        }
    }
}
