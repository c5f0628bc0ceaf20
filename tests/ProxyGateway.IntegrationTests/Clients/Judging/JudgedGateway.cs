using Microsoft.Extensions.Configuration;
using ProxyGateway.IntegrationTests.Gateway;

namespace ProxyGateway.IntegrationTests.Clients.Judging;

/// <summary>The gateway with the routes of <c>config/every-format.json</c>, in front of one agent.</summary>
internal static class JudgedGateway
{
    public static Task<GatewayFixture> StartAsync(JudgedAgent agent) => GatewayFixture.StartAsync(setup =>
    {
        var sample = new ConfigurationBuilder().AddJsonFile(Path.Combine(ClientTable.RepositoryRoot, "config", "every-format.json")).Build();
        foreach (var (key, value) in sample.AsEnumerable().Where(v => v.Value is not null && v.Key.StartsWith("ReverseProxy:Routes:", StringComparison.Ordinal)))
        {
            setup[key] = value;
        }

        // Nearly every exchange here fails on purpose.
        setup.Cluster("agent", agent.Upstream, ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "1"));
    });
}
