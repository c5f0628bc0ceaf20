using System.Text.RegularExpressions;
using Xunit;

namespace ProxyGateway.DeployTests.Documents;

/// <summary>SECURITY.md names the tests that show what it says; they must be there.</summary>
public sealed partial class SecurityDocumentTests
{
    [Fact]
    public void EveryNamedTest_Exists()
    {
        var files = Directory.GetFiles(Repository.PathOf("tests"), "*.cs", SearchOption.AllDirectories).Select(f => Path.GetFileNameWithoutExtension(f)).ToHashSet(StringComparer.Ordinal);
        var named = Named().Matches(Repository.Text("SECURITY.md")).Select(m => m.Groups[1].Value).Distinct().ToList();

        Assert.True(named.Count > 20);
        Assert.All(named, n => Assert.Contains(n, files));
    }

    [GeneratedRegex("`(\\w+Tests|ConcurrentStreaming)`")]
    private static partial Regex Named();
}
