using Microsoft.Extensions.Configuration;
using ProxyGateway.IntegrationTests.Gateway;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>The gateway with the routes of <c>config/every-format.json</c>, in front of one agent.</summary>
internal static class JudgedGateway
{
    /// <param name="impatient">Commits and beats many times a second, as it would in minutes.</param>
    public static Task<GatewayFixture> StartAsync(JudgedAgent agent, bool impatient = false) => GatewayFixture.StartAsync(setup =>
    {
        var sample = new ConfigurationBuilder().AddJsonFile(Path.Combine(ClientTable.RepositoryRoot, "config", "every-format.json")).Build();
        foreach (var (key, value) in sample.AsEnumerable().Where(v => v.Value is not null && v.Key.StartsWith("ReverseProxy:Routes:", StringComparison.Ordinal)))
        {
            setup[key] = value;
        }

        // Nearly every exchange here fails on purpose.
        setup.Cluster("agent", agent.Upstream, ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "1"));
        if (impatient)
        {
            setup.Global(("CommitAfter", "00:00:00.1"), ("HeartbeatInterval", "00:00:00.05"));
        }
    });
}
