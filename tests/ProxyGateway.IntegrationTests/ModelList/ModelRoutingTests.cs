using System.Text;
using System.Text.Json;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.ModelList;

public sealed class ModelRoutingTests
{
    private const string Routes = "ReverseProxy:Routes:";

    [Fact]
    public async Task ModelList_IsTheUnionOfLivingClustersAndAliases()
    {
        await using var a = ScriptedUpstream.Start(Models("m1", "shared"));
        await using var b = ScriptedUpstream.Start(Models("shared", "m2"));
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", a).Cluster("b", b).Cluster("dead", new Uri("http://127.0.0.1:9"));
            s[$"{Routes}chat:StreamingFallback:ModelAliases:fast"] = "m1";
            s[$"{Routes}models:ClusterId"] = "primary";
            s[$"{Routes}models:Match:Path"] = "/v1/models";
            foreach (var (i, cluster) in new[] { "primary", "b", "dead" }.Index())
            {
                s[$"{Routes}models:StreamingFallback:ListModels:{i}"] = cluster;
            }
        });

        for (var i = 0; i < 3; i++)
        {
            var result = await RawHttpClient.SendAsync(new HttpCall { Address = gateway.Http1, Method = "GET", Target = "/v1/models", Headers = [new("Authorization", "Bearer client-key")] }, TestContext.Current.CancellationToken);
            Assert.Equal(200, result.Status);
            using var list = JsonDocument.Parse(result.Body);
            Assert.Equal(["m1", "shared", "m2", "fast"], list.RootElement.GetProperty("data").EnumerateArray().Select(m => m.GetProperty("id").GetString()!));
        }

        // Remembered, and the client's key stays with the route's own cluster.
        Assert.Equal((1, 1), (a.RequestCount, b.RequestCount));
        Assert.Contains(a.Exchanges[0].Headers, h => h.Value.Contains("client-key"));
        Assert.DoesNotContain(b.Exchanges[0].Headers, h => h.Value.Contains("client-key"));
    }

    [Fact]
    public async Task AliasAndModelMap_ChangeTheModelAndNothingElse()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var other = ScriptedUpstream.Start();
        other.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream).Cluster("other", other);
            s[$"{Routes}chat:StreamingFallback:ModelAliases:fast"] = "gemini-flash";
            s[$"{Routes}chat:StreamingFallback:Models:gemini-*"] = "other";
            s["ReverseProxy:Clusters:other:ModelMap:gemini-flash"] = "google/gemini-flash:free";
        });

        await gateway.SendAsync(Wire.Http1, "{\"model\":\"fast\",\"x\":1.50,\"stream\":true,\"messages\":[]}"u8.ToArray());
        await gateway.SendAsync(Wire.Http1, "{\"model\":\"unknown\",\"stream\":true,\"messages\":[]}"u8.ToArray());

        Assert.Equal("{\"model\":\"google/gemini-flash:free\",\"x\":1.50,\"stream\":true,\"messages\":[]}", Encoding.UTF8.GetString(other.Exchanges.Single().Body));
        Assert.Equal("{\"model\":\"unknown\",\"stream\":true,\"messages\":[]}", Encoding.UTF8.GetString(upstream.Exchanges.Single().Body));
    }

    private static UpstreamScript Models(params string[] ids) => UpstreamScript.Json(Encoding.UTF8.GetBytes(
        $"{{\"object\":\"list\",\"data\":[{string.Join(',', ids.Select(id => $"{{\"id\":\"{id}\",\"object\":\"model\"}}"))}]}}"));
}
