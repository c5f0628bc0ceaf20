using ProxyGateway.StreamingFallback.ChatFormats.OpenAIChat;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Tests.Allocations;

/// <summary>Settings as they are by default.</summary>
internal static class TestRoutes
{
    public static RouteSettings OpenAIChat()
    {
        var cluster = ClusterSettings.From("agent", new ClusterFallbackOptions());
        cluster.Link([new FallbackTarget(ClusterSettings.From("other", new ClusterFallbackOptions()), null)]);
        return new RouteSettings
        {
            RouteId = "chat",
            Format = new OpenAIChatFormat(),
            RecoveryEnabled = true,
            Replay = ReplayPolicy.Safe,
            ResponseFormat = ReplayResponseFormat.Stream,
            OnMidStreamFailure = MidStreamFailureAction.Splice,
            Models = [],
            UnknownModel = default,
            Cluster = cluster,
            Limits = LimitSettings.From(new StreamingFallbackOptions()),
        };
    }
}
