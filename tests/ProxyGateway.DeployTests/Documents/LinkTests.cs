using System.Text.RegularExpressions;
using Xunit;

namespace ProxyGateway.DeployTests.Documents;

/// <summary>Every relative link of every page leads somewhere, down to the heading.</summary>
public sealed partial class LinkTests
{
    public static TheoryData<string> Pages =>
    [
        .. Directory.GetFiles(Repository.Root, "*.md", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Repository.Root, f).Replace('\\', '/'))
            .Where(f => !f.Split('/').Any(p => p is "node_modules" or "artifacts" or "bin" or "obj" or ".git"))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void RelativeLinks_Resolve(string page)
    {
        var file = Repository.PathOf(page.Split('/'));
        foreach (var link in Links(File.ReadAllText(file)))
        {
            var parts = link.Split('#', 2);
            var target = parts[0].Length == 0 ? file : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, Uri.UnescapeDataString(parts[0])));
            Assert.True(Path.Exists(target), $"{page}: {link} leads nowhere");
            if (parts.Length == 2 && target.EndsWith(".md", StringComparison.Ordinal))
            {
                Assert.True(Anchors(File.ReadAllText(target)).Contains(parts[1]), $"{page}: {link} names no heading");
            }
        }
    }

    private static IEnumerable<string> Links(string text) =>
        Link().Matches(Code().Replace(text, "")).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal) && !l.StartsWith("mailto:", StringComparison.Ordinal));

    private static HashSet<string> Anchors(string text) =>
        [.. Heading().Matches(Code().Replace(text, "")).Select(m => Dropped().Replace(m.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex("^#+ (.+?)\r?$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Dropped();
}
