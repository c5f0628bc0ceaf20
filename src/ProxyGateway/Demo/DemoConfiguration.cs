namespace ProxyGateway.Demo;

/// <summary>The configuration that the demo's gateway runs with, as it could stand in <c>appsettings.json</c>.</summary>
internal static class DemoConfiguration
{
    public static Dictionary<string, string?> For(DemoFleet fleet, string listen)
    {
        const string Chat = "ReverseProxy:Routes:chat:";
        var configuration = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Gateway:Listen"] = listen,
            ["Gateway:ManagementListen"] = "http://127.0.0.1:0",
            ["Gateway:Drain:Delay"] = "00:00:00",
            ["Gateway:Drain:Timeout"] = "00:00:02",
            ["StreamingFallback:MaxAttempts"] = "3",
            ["StreamingFallback:RecoveryTimeout"] = "00:00:10",
            [Chat + "ClusterId"] = DemoFleet.Dying,
            [Chat + "Match:Path"] = "/v1/chat/completions",
            [Chat + "Match:Methods:0"] = "POST",
            [Chat + "StreamingFallback:Format"] = "openai-chat",
            [Chat + "StreamingFallback:Models:demo-good*"] = DemoFleet.Good,
            [Chat + "StreamingFallback:Models:demo-stall*"] = DemoFleet.Stalling,
            [Chat + "StreamingFallback:Models:demo-refuse*"] = DemoFleet.Refusing,
            [Chat + "StreamingFallback:Models:demo-broken*"] = DemoFleet.Broken,
            [Chat + "StreamingFallback:Models:demo-diverge*"] = DemoFleet.Diverging,
            ["ReverseProxy:Routes:models:ClusterId"] = DemoFleet.Good,
            ["ReverseProxy:Routes:models:Match:Path"] = "/v1/models",
        };
        foreach (var agent in fleet.Agents.Values)
        {
            AddCluster(configuration, agent.Name, agent.Address);
        }

        return configuration;
    }

    private static void AddCluster(Dictionary<string, string?> configuration, string name, Uri address)
    {
        var cluster = $"ReverseProxy:Clusters:{name}:";
        configuration[cluster + "Destinations:a:Address"] = address.ToString();
        configuration[cluster + "Timeouts:Connect"] = "00:00:01";
        configuration[cluster + "Timeouts:ResponseHeaders"] = "00:00:01";
        configuration[cluster + "Timeouts:FirstContent"] = "00:00:01";
        configuration[cluster + "Timeouts:Idle"] = "00:00:00.7";
        configuration[cluster + "Timeouts:Replay"] = "00:00:03";
        configuration[cluster + "CircuitBreaker:FailureThreshold"] = Threshold(name);
        configuration[cluster + "CircuitBreaker:BreakDuration"] = "00:00:05";

        // A second opinion would have the text that was delivered: the diverging replay would end well.
        if (name is not (DemoFleet.Good or DemoFleet.Diverging))
        {
            configuration[cluster + "Fallback:0:Cluster"] = DemoFleet.Good;
        }
    }

    // The dying agent dies in most requests on purpose: its circuit would open, and the demo would show nothing else.
    private static string Threshold(string name) => name is DemoFleet.Dying or DemoFleet.Diverging ? "100" : "5";
}
