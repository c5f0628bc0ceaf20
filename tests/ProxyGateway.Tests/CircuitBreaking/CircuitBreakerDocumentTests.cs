using System.Text.RegularExpressions;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.CircuitBreaking;

/// <summary>docs/circuit-breaker.md against the code.</summary>
public sealed partial class CircuitBreakerDocumentTests
{
    [Fact]
    public void OptionsTable_NamesEveryOptionInOrder()
    {
        var document = File.ReadAllText(Path.Combine(Root(), "docs", "circuit-breaker.md"));
        var options = document[document.IndexOf("\n## Options", StringComparison.Ordinal)..];
        Assert.Equal(
            typeof(CircuitBreakerOptions).GetProperties().Select(property => property.Name),
            Row().Matches(options).Select(match => match.Groups[1].Value));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ProxyGateway.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The repository's root was not found.");
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
