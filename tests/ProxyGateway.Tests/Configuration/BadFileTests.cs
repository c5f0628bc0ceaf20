using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>
/// Each file of <c>BadFiles</c> is one mistake and, in its last lines, what the operator is told: all findings, with
/// line, column and remedy. A new case is a new file; <c>UPDATE_GENERATED=1</c> writes its expectation for review.
/// </summary>
public sealed class BadFileTests
{
    private const string Expect = "// expect: ";
    private const string Env = "// env: ";

    private static string Folder => RepositoryFiles.PathOf("tests", "ProxyGateway.Tests", "Configuration", "BadFiles");

    public static TheoryData<string> Cases => [.. Directory.GetFiles(Folder, "*.jsonc").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void BadFile_NamesPlaceAndRemedy(string name)
    {
        var path = Path.Combine(Folder, name + ".jsonc");
        if (RepositoryFiles.IsUpdate)
        {
            Update(path);
        }

        var text = File.ReadAllText(path);
        var expected = text.Split('\n').Where(l => l.StartsWith(Expect, StringComparison.Ordinal)).Select(l => l[Expect.Length..]).ToList();

        Assert.NotEmpty(expected);
        Assert.Equal(expected, Findings(text));
    }

    [Fact]
    public void Cases_AreAtLeastForty() => Assert.InRange(Cases.Count, 40, int.MaxValue);

    private static List<string> Findings(string text)
    {
        var environment = text.Split('\n')
            .Where(l => l.StartsWith(Env, StringComparison.Ordinal))
            .Select(l => l[Env.Length..].Split('=', 2))
            .ToDictionary(p => p[0], p => p[1]);
        return [.. Candidates.Of(text, environment).Diagnostics.Select(d => d.ToString().Replace("test.json:", "", StringComparison.Ordinal))];
    }

    private static void Update(string path)
    {
        var input = string.Join('\n', File.ReadAllText(path).Split('\n').Where(l => !l.StartsWith(Expect, StringComparison.Ordinal))).TrimEnd('\n') + "\n";
        var text = input;

        // Twice: an error at the end of the file moves by the lines of its own expectation.
        for (var i = 0; i < 2; i++)
        {
            text = input + string.Concat(Findings(text).Select(f => $"{Expect}{f}\n"));
        }

        File.WriteAllText(path, text);
    }
}
