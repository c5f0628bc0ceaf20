using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace ProxyGateway.DeployTests.SupplyChain;

/// <summary>What the product is built from is written down, and by no more than names, versions and hashes.</summary>
public sealed partial class LockFileTests
{
    public static TheoryData<string> Projects =>
        [.. Directory.GetFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void LockFile_HasAVersionAndAHashPerPackageAndNoAddress(string project)
    {
        var text = Repository.Text("src", project, "packages.lock.json");
        Assert.DoesNotMatch("https?:", text);

        using var file = JsonDocument.Parse(text);
        foreach (var framework in file.RootElement.GetProperty("dependencies").EnumerateObject())
        {
            foreach (var package in framework.Value.EnumerateObject().Where(p => p.Value.GetProperty("type").GetString() != "Project"))
            {
                Assert.True(package.Value.GetProperty("resolved").GetString()!.Length > 0, package.Name);
                Assert.Equal(64, Convert.FromBase64String(package.Value.GetProperty("contentHash").GetString()!).Length);
            }
        }
    }

    /// <summary>A version that floats would be another one tomorrow.</summary>
    [Fact]
    public void CentralVersions_AreExact()
    {
        var versions = Version().Matches(Repository.Text("Directory.Packages.props")).Select(m => m.Groups[1].Value).ToList();

        Assert.NotEmpty(versions);
        Assert.All(versions, v => Assert.DoesNotMatch(@"[*\[\](),]", v));
    }

    [GeneratedRegex("PackageVersion Include=\"[^\"]+\" Version=\"([^\"]+)\"")]
    private static partial Regex Version();
}
