using ProxyGateway.Configuration.Reload;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class DifferenceTests
{
    [Fact]
    public void CommentsAndSpaces_AreNoChange() =>
        Assert.Equal("no changes", Between(Candidates.OneAgent, "// a comment\n" + Candidates.OneAgent.Replace("  ", " ", StringComparison.Ordinal)).Summary);

    [Fact]
    public void RoutesAndClusters_AreCounted()
    {
        var after = Candidates.OneAgent
            .Replace("3456", "3457", StringComparison.Ordinal)
            .Replace("\"Clusters\": {", "\"Clusters\": { \"b\": { \"Destinations\": { \"a\": { \"Address\": \"http://h:1\" } } }, \"c\": { \"Destinations\": { \"a\": { \"Address\": \"http://h:2\" } } },", StringComparison.Ordinal)
            .Replace("\"chat\"", "\"talk\"", StringComparison.Ordinal);

        Assert.Equal("+1 route -1 route +2 clusters ~1 cluster", Between(Candidates.OneAgent, after).Summary);
    }

    [Fact]
    public void Listener_NeedsARestart()
    {
        var after = "{ \"Gateway\": { \"Listen\": \"http://127.0.0.1:9000\", \"SecretsDirectory\": \"secrets\" }," + Candidates.OneAgent[1..];

        Assert.Equal("~Gateway; needs a restart: Gateway:Listen", Between(Candidates.OneAgent, after).Summary);
    }

    [Fact]
    public void RestartThatIsNeeded_IsNamedUntilTheEditIsUndone()
    {
        var started = Candidates.OneAgent;
        var moved = "{ \"Gateway\": { \"Listen\": \"http://127.0.0.1:9000\" }," + started[1..];
        var edited = moved.Replace("3456", "3457", StringComparison.Ordinal);

        Assert.Equal("~1 cluster; needs a restart: Gateway:Listen", Between(moved, edited, started).Summary);
        Assert.Equal("no changes; needs a restart: Gateway:Listen", Between(moved, moved, started).Summary);
        Assert.Equal("~Gateway", Between(moved, started, started).Summary);
    }

    [Fact]
    public void OrderOfModelPatterns_IsAChange()
    {
        string With(string models) => Candidates.OneAgent.Replace("\"Format\": \"openai-chat\"", $"\"Format\": \"openai-chat\", \"Models\": {{ {models} }}", StringComparison.Ordinal);

        Assert.Equal("~1 route", Between(With("\"a*\": \"agent\", \"*\": \"agent\""), With("\"*\": \"agent\", \"a*\": \"agent\"")).Summary);
    }

    private static ConfigurationDifference Between(string before, string after, string? started = null) =>
        ConfigurationDifference.Between(Candidates.Of(before).Snapshot, Candidates.Of(after).Snapshot, Candidates.Of(started ?? before).Snapshot);
}
