using Microsoft.Extensions.Configuration;
using ProxyGateway.StreamingFallback.Configuration;

namespace ProxyGateway.Tests.Allocations;

/// <summary>Settings as a configuration with one guarded route and one fallback cluster gives them.</summary>
internal static class TestRoutes
{
    public static RouteSettings OpenAIChat()
    {
        var root = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ReverseProxy:Routes:chat:ClusterId"] = "agent",
            ["ReverseProxy:Routes:chat:StreamingFallback:Format"] = "openai-chat",
            ["ReverseProxy:Clusters:agent:Fallback:0:Cluster"] = "other",
            ["ReverseProxy:Clusters:other:Destinations:a:Address"] = "http://127.0.0.1:1",
        }).Build();
        return new SettingsReader(root.GetSection("ReverseProxy"), root).ReadRoute("chat", "agent")!;
    }
}
