using Microsoft.Extensions.Configuration;
using ProxyGateway.Configuration.Reload;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class SnapshotTests
{
    [Fact]
    public void Children_ComeInFileOrder()
    {
        var text = Candidates.OneAgent.Replace(
            "\"Format\": \"openai-chat\"",
            "\"Format\": \"openai-chat\", \"Models\": { \"z-*\": \"agent\", \"llama3:*\": \"agent\", \"a-*\": \"agent\", \"*\": \"agent\" }",
            StringComparison.Ordinal);
        var configuration = Configuration(text, out _);

        var models = configuration.GetSection("ReverseProxy:Routes:chat:StreamingFallback:Models");

        Assert.Equal(["z-*", "llama3", "a-*", "*"], models.GetChildren().Select(c => c.Key));
        Assert.Equal(["z-*", "llama3:*", "a-*", "*"], Leaves(models).Select(l => l.Path[(models.Path.Length + 1)..]));
    }

    [Fact]
    public void ModelRoutingSample_ReachesTheLibraryInFileOrder()
    {
        var configuration = Configuration(File.ReadAllText(RepositoryFiles.PathOf("config", "model-routing.json")), out _);

        var values = FileOrder.Values(configuration, configuration.GetSection("ReverseProxy:Routes:chat:StreamingFallback:Models"));

        Assert.Equal([("gemini-*-flash", "fast"), ("gemini-*", "openai-like"), ("droid-*", "droid"), ("llama3:*", "local")], values);
    }

    [Fact]
    public void ListPositions_ComeByNumber()
    {
        var candidate = Candidates.Of(Candidates.OneAgent, new Dictionary<string, string>
        {
            ["ReverseProxy__Routes__chat__Match__Methods__1"] = "GET",
            ["ReverseProxy__Routes__chat__Match__Methods__0"] = "POST",
            ["ReverseProxy__Routes__chat__Match__Methods__10"] = "PUT",
            ["ReverseProxy__Routes__chat__Match__Methods__2"] = "PATCH",
        });

        Assert.Equal(["0", "1", "2", "10"], candidate.Snapshot.ChildrenOf("ReverseProxy:Routes:chat:Match:Methods"));
    }

    [Fact]
    public void Swap_IsSeenAtOnceAndSignalled()
    {
        var configuration = Configuration(Candidates.OneAgent, out var provider);
        string? seen = null;
        using var subscription = Microsoft.Extensions.Primitives.ChangeToken.OnChange(
            configuration.GetReloadToken,
            () => seen = configuration["ReverseProxy:Clusters:agent:Destinations:a:Address"]);

        provider.Swap(Candidates.Of(Candidates.OneAgent.Replace("3456", "9999", StringComparison.Ordinal)).Snapshot);

        Assert.Equal("http://127.0.0.1:9999", seen);
    }

    [Fact]
    public void EmptyListAndEmptyBlock_AreAsTheStockProviderHasThem()
    {
        const string text = """{ "Logging": { "List": [], "Block": {}, "Null": null, "Number": 1.50, "On": true } }""";
        var stock = new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text))).Build();

        var ours = Candidates.Of(text).Snapshot.Values;

        foreach (var name in new[] { "List", "Block", "Null", "Number", "On" })
        {
            Assert.Equal((name, stock[$"Logging:{name}"]), (name, ours[$"Logging:{name}"]));
        }
    }

    private static IEnumerable<IConfigurationSection> Leaves(IConfigurationSection section) =>
        section.GetChildren().SelectMany(c => c.Value is null ? Leaves(c) : [c]);

    private static IConfigurationRoot Configuration(string text, out GatewayConfigurationProvider provider)
    {
        provider = new GatewayConfigurationProvider(Candidates.Of(text).Snapshot);
        return new ConfigurationBuilder()
            .AddInMemoryCollection([new("ReverseProxy:Routes:chat:Order", null)])
            .Add(new GatewayConfigurationSource(provider))
            .Build();
    }
}
