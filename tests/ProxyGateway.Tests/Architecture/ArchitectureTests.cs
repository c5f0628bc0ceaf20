using System.Text.RegularExpressions;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.Architecture;

/// <summary>What src/ARCHITECTURE.md says, held against the code.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Root = SharedData.RepositoryRoot(AppContext.BaseDirectory)!;

    private static readonly string Library = Path.Combine(Root, "src", "ProxyGateway.StreamingFallback");

    private static readonly string Document = File.ReadAllText(Path.Combine(Root, "src", "ARCHITECTURE.md"));

    [Theory]
    [InlineData("Buffers")]
    [InlineData("Sse")]
    [InlineData("ChatFormats")]
    [InlineData("Guard")]
    [InlineData("Recovery")]
    public void PureFolder_KnowsNothingOfHttpYarpOrTime(string folder)
    {
        var files = Directory.GetFiles(Path.Combine(Library, folder), "*.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var text = File.ReadAllText(file);
            foreach (var foreign in new[] { "Microsoft.AspNetCore", "Yarp.", "System.Net.Http", "TimeProvider", "StreamingFallback.Attempts", "StreamingFallback.Exchange", "StreamingFallback.ClientStream" })
            {
                Assert.False(text.Contains(foreign, StringComparison.Ordinal), $"{Path.GetRelativePath(Root, file)} knows {foreign}");
            }
        }
    }

    [Theory]
    [InlineData("Sse", "Guard", "Recovery")]
    [InlineData("Telemetry", "ClientStream")]
    [InlineData("ChatFormats", "Guard", "Recovery", "Sse")]
    [InlineData("ClientStream", "Attempts", "Guard", "Recovery", "Exchange")]
    public void Folder_DoesNotPointDown(string folder, params string[] below)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Library, folder), "*.cs", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            Assert.All(below, b => Assert.False(
                text.Contains($"using ProxyGateway.StreamingFallback.{b};", StringComparison.Ordinal), $"{Path.GetRelativePath(Root, file)} uses {b}"));
        }
    }

    /// <summary>
    /// What the wall clock may be asked for: times that are shown or written down, a Retry-After that names one, and the minute that
    /// replicas share (where it jumps, a replica is alone for a while).
    /// </summary>
    private static readonly string[] WallClockReaders =
    [
        "AgentApi/AgentAnswer.cs", "Attempts/UpstreamError.cs", "Telemetry/RecentEvents.cs",
        "Api/TrafficHistory.cs", "Api/CircuitControl.cs", "Api/StatusReport.cs", "Settings/StartupConfigurationReport.cs", "Reload/ConfigurationReloader.cs", "Clients/SharedUsage.cs",
    ];

    [Theory]
    [InlineData("GetUtcNow")]
    [InlineData("GetLocalNow")]
    [InlineData("DateTime.Now")]
    [InlineData("DateTime.UtcNow")]
    [InlineData("DateTimeOffset.Now")]
    [InlineData("DateTimeOffset.UtcNow")]
    [InlineData("Environment.TickCount")]
    [InlineData("Stopwatch.")]
    public void WallClock_IsNeverTimedBy(string reading)
    {
        var readers = new[] { "ProxyGateway", "ProxyGateway.StreamingFallback" }
            .SelectMany(p => Directory.GetFiles(Path.Combine(Root, "src", p), "*.cs", SearchOption.AllDirectories))
            .Where(f => File.ReadAllText(f).Contains(reading, StringComparison.Ordinal))
            .Select(f => f.Replace('\\', '/'))
            .Where(f => reading != "GetUtcNow" || !WallClockReaders.Any(w => f.EndsWith(w, StringComparison.Ordinal)));
        Assert.Empty(readers);
    }

    [Fact]
    public void Pipeline_IsAsDocumented()
    {
        var method = File.ReadAllText(Path.Combine(Library, "StreamingFallbackExtensions.cs"));
        method = method[method.IndexOf("UseStreamingFallback(this", StringComparison.Ordinal)..];
        var steps = Step().Matches(method).Select(m => m.Groups["own"].Success ? m.Groups["own"].Value : m.Groups["yarp"].Value switch
        {
            "SessionAffinity" => "SessionAffinityMiddleware",
            "LoadBalancing" => "LoadBalancingMiddleware",
            "PassiveHealthChecks" => "PassiveHealthCheckMiddleware",
            var other => other,
        }).ToList();
        var documented = Numbered().Matches(Document).Select(m => m.Groups[1].Value).ToList();
        Assert.True(steps.Count >= 5);
        Assert.Equal(steps, documented);
    }

    [Fact]
    public void EveryFolder_IsDocumented()
    {
        var folders = Directory.GetDirectories(Library).Select(Path.GetFileName).Where(f => f is not ("bin" or "obj")).ToList();
        Assert.All(folders, folder => Assert.Contains($"| `{folder}/` |", Document));
    }

    [GeneratedRegex(@"proxy\.(UseMiddleware<(?<own>\w+)>|Use(?<yarp>\w+))\(\);")]
    private static partial Regex Step();

    [GeneratedRegex(@"^\d\. `(\w+)`", RegexOptions.Multiline)]
    private static partial Regex Numbered();
}
