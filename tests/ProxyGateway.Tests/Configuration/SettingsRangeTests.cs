using Microsoft.Extensions.Configuration;
using ProxyGateway.Configuration.Catalogue;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>
/// An application that uses the library has no <c>check</c>: what the catalogue allows, the library takes, and one step beyond it
/// refuses with the option's place, the value and the range.
/// </summary>
public sealed class SettingsRangeTests
{
    private const string ClusterPath = "Clusters:agent";

    private static readonly Dictionary<string, OptionNode> Options = Collect();

    public static TheoryData<string> Bounded => [.. Options.Where(o => o.Value.RangeText is not null).Select(o => o.Key)];

    public static TheoryData<string> Choices => [.. Options.Where(o => o.Value.Kind == OptionKind.Choice && o.Value.Name != "Format").Select(o => o.Key)];

    [Theory]
    [MemberData(nameof(Bounded))]
    public void Bound_IsTakenAndOneStepBeyondIsRefused(string path)
    {
        var option = Options[path];
        foreach (var (taken, refused) in option.Kind == OptionKind.Time ? Times(option) : Numbers(option))
        {
            Assert.Null(RefusalOf(path, taken));
            Assert.Equal($"{path}: '{refused}' must be {option.RangeText?.Replace("BreakDuration", "00:00:00.01", StringComparison.Ordinal)}.", RefusalOf(path, refused));
        }
    }

    [Theory]
    [MemberData(nameof(Choices))]
    public void NumberThatNamesNoChoice_IsRefused(string path) =>
        Assert.Equal($"{path}: '7' must be one of {string.Join(", ", Options[path].Choices)}.", RefusalOf(path, "7"));

    [Theory]
    [InlineData("StreamingFallback:Concurrency:Limit")]
    [InlineData("Clusters:agent:Hedging:Delay")]
    [InlineData("Clusters:agent:Retry:Statuses:0")]
    [InlineData("Clusters:agent:Timeouts:Connect")]
    public void CollectedOptions_HoldWhatLiesDeep(string path) => Assert.Contains(path, Bounded.Select(row => row.Data));

    [Theory]
    [InlineData("Clusters:agent:Fallback:0:Cluster", "nope")]
    [InlineData("Clusters:agent:Fallback:0:Cluster", "")]
    [InlineData("Routes:chat:StreamingFallback:Models:good", "nope")]
    public void ClusterThatIsNotThere_IsRefused(string path, string cluster) =>
        Assert.Equal($"{path}: there is no cluster '{cluster}'.", RefusalOf(path, cluster));

    [Fact]
    public void ClusterOfAnotherProvider_MayBeNamed() =>
        Assert.Null(Record.Exception(() => Reader("Clusters:agent:Fallback:0:Cluster", "elsewhere", id => id == "elsewhere").ReadRoute("chat", "agent")));

    private static IEnumerable<(string Taken, string Refused)> Times(OptionNode option)
    {
        yield return (DurationText.Format(option.Longest!.Value), DurationText.Format(option.Longest.Value + TimeSpan.FromTicks(1)));
        yield return (DurationText.Format(option.Shortest!.Value), DurationText.Format(option.Shortest.Value - TimeSpan.FromTicks(1)));
    }

    private static IEnumerable<(string Taken, string Refused)> Numbers(OptionNode option)
    {
        var step = option.Kind == OptionKind.Count ? 1 : 0.001;
        yield return (NumberText.Format(option.Maximum!.Value), NumberText.Format(option.Maximum.Value + step));
        yield return option.MinimumIsExclusive
            ? (NumberText.Format(option.Minimum!.Value + step), NumberText.Format(option.Minimum.Value))
            : (NumberText.Format(option.Minimum!.Value), NumberText.Format(option.Minimum.Value - step));
    }

    private static string? RefusalOf(string path, string value) => Record.Exception(() => Reader(path, value).ReadRoute("chat", "agent")) switch
    {
        null => null,
        InvalidOperationException refusal => refusal.Message,
        var other => throw new InvalidOperationException(path, other),
    };

    private static SettingsReader Reader(string path, string value, Func<string, bool>? isLoadedElsewhere = null)
    {
        var root = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ReverseProxy:Routes:chat:StreamingFallback:Format"] = "openai-chat",
            // The bounds of the two breaks depend on each other.
            ["ReverseProxy:Clusters:agent:CircuitBreaker:BreakDuration"] = "00:00:00.01",
            ["ReverseProxy:Clusters:agent:CircuitBreaker:MaxBreakDuration"] = "1.00:00:00",
            [path.StartsWith("StreamingFallback", StringComparison.Ordinal) ? path : $"ReverseProxy:{path}"] = value,
        }).Build();
        return new SettingsReader(root.GetSection("ReverseProxy"), root, isLoadedElsewhere);
    }

    private static Dictionary<string, OptionNode> Collect()
    {
        var options = new Dictionary<string, OptionNode>();
        Add(FallbackCatalogue.Section, "StreamingFallback");
        Add(FallbackCatalogue.Route, "Routes:chat:StreamingFallback");
        foreach (var option in FallbackCatalogue.Cluster)
        {
            Add(option, $"{ClusterPath}:{option.Name}");
        }

        return options;

        void Add(OptionNode node, string path)
        {
            if (node.IsScalar)
            {
                options.Add(path, node);
            }

            foreach (var child in node.Children)
            {
                Add(child, $"{path}:{child.Name}");
            }

            if (node.Item is { } item)
            {
                Add(item, $"{path}:0");
            }
        }
    }
}
