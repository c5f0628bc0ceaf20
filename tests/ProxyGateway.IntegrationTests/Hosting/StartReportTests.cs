using ProxyGateway.IntegrationTests.Gateway;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hosting;

/// <summary>What a start says it serves.</summary>
public sealed class StartReportTests
{
    [Fact]
    public async Task Start_NamesListenersThenRoutesThenClusters_OneLineEach()
    {
        await using var gateway = await GatewayFixture.StartAsync(static s =>
        {
            s.Cluster("primary", new Uri("http://user:password@127.0.0.1:9/?key=1"));
            s.Cluster("spare", new Uri("http://127.0.0.1:10"));
            s["ReverseProxy:Clusters:primary:Fallback:0:Cluster"] = "spare";
            s["ReverseProxy:Routes:rest:ClusterId"] = "spare";
            s["ReverseProxy:Routes:rest:Match:Path"] = "/rest/{**rest}";
            s["ReverseProxy:Routes:rest:Match:Methods:0"] = "GET";
            s["ReverseProxy:Routes:rest:Match:Headers:0:Name"] = "x-tenant";
            s["ReverseProxy:Routes:rest:Match:Headers:0:Values:0"] = "a key";
        });

        var lines = gateway.Log.All;
        var said = lines.Where(l => l.Contains(".StartReport ", StringComparison.Ordinal)).Select(l => l.Trim()).ToList();
        string[] expected =
        [
            "Information ProxyGateway.Hosting.StartReport route chat: any method /v1/chat/completions; format openai-chat; cluster primary",
            "Information ProxyGateway.Hosting.StartReport route rest: GET /rest/{**rest} if header x-tenant; format none; cluster spare",
            "Information ProxyGateway.Hosting.StartReport cluster primary: destinations http://127.0.0.1:9/ (hidden); fallbacks spare",
            "Information ProxyGateway.Hosting.StartReport cluster spare: destinations http://127.0.0.1:10/; fallbacks none",
        ];
        Assert.Equal(expected, said);
        var all = lines.ToList();
        Assert.True(all.FindLastIndex(l => l.Contains("Now listening on", StringComparison.Ordinal)) is var listening and >= 0
            && listening < all.FindIndex(l => l.Contains(".StartReport ", StringComparison.Ordinal)));
    }
}
