using ProxyGateway.IntegrationTests.Gateway;

namespace ProxyGateway.IntegrationTests.AgentApi;

/// <summary>A gateway with a route of format <c>agentapi</c>.</summary>
internal static class AgentSetup
{
    public static Task<GatewayFixture> StartAsync(Uri agent, params (string Option, string Value)[] cluster) => StartAsync(agent, null, cluster);

    public static Task<GatewayFixture> StartAsync(Uri agent, Action<GatewaySetup>? change, params (string Option, string Value)[] cluster) => GatewayFixture.StartAsync(setup =>
    {
        Route(setup).Cluster("agent", agent, [("Reconnect:Delay", "00:00:00.01"), ("Reconnect:MaxDelay", "00:00:00.05"), .. cluster]);
        change?.Invoke(setup);
    });

    private static GatewaySetup Route(GatewaySetup setup)
    {
        setup.Chat("agent");
        setup["ReverseProxy:Routes:agent:ClusterId"] = "agent";
        setup["ReverseProxy:Routes:agent:Match:Path"] = "/{**path}";
        setup["ReverseProxy:Routes:agent:Order"] = "1";
        setup["ReverseProxy:Routes:agent:StreamingFallback:Format"] = "agentapi";
        return setup;
    }
}
