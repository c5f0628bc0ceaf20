using ProxyGateway.Configuration.Merging;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class MergeTests
{
    private const string Threshold = "ReverseProxy:Clusters:agent:CircuitBreaker:FailureThreshold";

    [Fact]
    public void EverySource_OverridesTheOneBefore()
    {
        const string variable = "ReverseProxy__Clusters__agent__CircuitBreaker__FailureThreshold";
        var file = Candidates.OneAgent.Replace("\"Destinations\"", "\"CircuitBreaker\": { \"FailureThreshold\": 2 }, \"Destinations\"", StringComparison.Ordinal);
        List<SecretFile> secrets = [new("/s/x", Threshold, "3")];
        Dictionary<string, string> environment = new() { [variable] = "4" };

        Assert.Equal("2", Candidates.Of(file).Snapshot.Values[Threshold]);
        Assert.Equal("3", Candidates.Of(file, secrets: secrets).Snapshot.Values[Threshold]);
        Assert.Equal("4", Candidates.Of(file, environment, secrets: secrets).Snapshot.Values[Threshold]);
        Assert.Equal("5", Candidates.Of(file, environment, [$"--{Threshold}=5"], secrets).Snapshot.Values[Threshold]);
    }

    [Theory]
    [InlineData("Gateway:Backplane:ConnectionStringFile")]
    [InlineData("ReverseProxy:Clusters:agent:Credentials:ValueFile")]
    public void FileNamedInTheConfiguration_IsFoundBesideIt(string setting)
    {
        var candidate = Candidates.Of(Candidates.OneAgent, arguments: [$"--{setting}=keys/secret"]);

        Assert.Equal(Path.GetFullPath("keys/secret"), candidate.Snapshot.Values[setting]);
    }

    [Theory]
    [InlineData("AGENT_FALLBACK_ENABLED", "0", "false")]
    [InlineData("FALLBACK_ENABLED", "False", "false")]
    [InlineData("FALLBACK_ENABLED", "1", "true")]
    public void FallbackSwitch_IsTheEnabledOption(string variable, string value, string expected)
    {
        var candidate = Candidates.Of(Candidates.OneAgent, new Dictionary<string, string> { [variable] = value });

        Assert.True(candidate.IsValid);
        Assert.Equal(expected, candidate.Snapshot.Values["StreamingFallback:Enabled"]);
    }

    [Fact]
    public void AgentFallbackSwitch_CountsBeforeItsAlias()
    {
        var candidate = Candidates.Of(Candidates.OneAgent, new Dictionary<string, string> { ["FALLBACK_ENABLED"] = "true", ["AGENT_FALLBACK_ENABLED"] = "false" });

        Assert.Equal("false", candidate.Snapshot.Values["StreamingFallback:Enabled"]);
    }

    [Fact]
    public void OtherVariables_AreNoneOfOurs()
    {
        var candidate = Candidates.Of(Candidates.OneAgent, new Dictionary<string, string> { ["SOME__THING"] = "1", ["PATH"] = "/bin" });

        Assert.True(candidate.IsValid);
        Assert.Equal(["ReverseProxy"], candidate.Snapshot.ChildrenOf(null));
    }

    [Fact]
    public void OverrideInAnotherCase_ChangesTheSameKey()
    {
        var candidate = Candidates.Of(Candidates.OneAgent, new Dictionary<string, string> { ["REVERSEPROXY__CLUSTERS__AGENT__DESTINATIONS__A__ADDRESS"] = "http://127.0.0.1:9999" });

        Assert.True(candidate.IsValid);
        Assert.Equal("http://127.0.0.1:9999", candidate.Snapshot.Values["ReverseProxy:Clusters:agent:Destinations:a:Address"]);
    }

    [Fact]
    public void ListEntryFromTheEnvironment_IsAnEntry()
    {
        var candidate = Candidates.Of(Candidates.OneAgent, new Dictionary<string, string>
        {
            ["ReverseProxy__Clusters__spare__Destinations__a__Address"] = "http://127.0.0.1:9999",
            ["ReverseProxy__Clusters__agent__Fallback__0__Cluster"] = "spare",
        });

        Assert.Empty(candidate.Diagnostics);
        Assert.Equal("spare", candidate.Snapshot.Values["ReverseProxy:Clusters:agent:Fallback:0:Cluster"]);
    }

    [Fact]
    public void SecretValue_IsNeverShown()
    {
        var candidate = Candidates.Of(Candidates.OneAgent, secrets: [new("/s/x", Threshold, "not-a-number")]);

        var error = Assert.Single(candidate.Errors);
        Assert.Equal("hidden", error.Value);
        Assert.StartsWith("/s/x: error: ", error.ToString(), StringComparison.Ordinal);
    }
}
