using System.Text.RegularExpressions;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.Tests.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Limits;

/// <summary>docs/budgets-and-limits.md against the code.</summary>
public sealed partial class LimitsDocumentTests
{
    [Theory]
    [InlineData(typeof(ConcurrencyOptions), "## Concurrency")]
    [InlineData(typeof(CredentialOptions), "## Keys")]
    [InlineData(typeof(HedgingOptions), "## Hedging")]
    public void Table_NamesEveryOptionInOrder(Type options, string heading)
    {
        var document = File.ReadAllText(RepositoryFiles.PathOf("docs", "budgets-and-limits.md"));
        var section = document[document.IndexOf("\n" + heading, StringComparison.Ordinal)..];
        var rows = Row().Matches(section).Select(m => m.Groups[1].Value);

        Assert.Equal(options.GetProperties().Select(p => p.Name), rows.Take(options.GetProperties().Length));
    }

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
