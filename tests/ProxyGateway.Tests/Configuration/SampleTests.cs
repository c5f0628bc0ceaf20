using ProxyGateway.Configuration.Commands;
using ProxyGateway.Configuration.Merging;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>Every configuration the repository shows is one that <c>check</c> passes without a word.</summary>
public sealed class SampleTests
{
    public static TheoryData<string> Samples =>
    [
        "appsettings.json",
        .. Directory.GetFiles(RepositoryFiles.PathOf("config"), "*.json")
            .Select(f => $"config/{Path.GetFileName(f)}")
            .Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Sample_IsValidWithoutWarnings(string sample)
    {
        var file = RepositoryFiles.PathOf(sample.Split('/'));
        var output = new StringWriter();
        var errors = new StringWriter();

        var exitCode = CheckCommand.Run(new ConfigurationInputs { File = file }, CheckFormat.Text, output, errors);

        Assert.Equal("", errors.ToString());
        Assert.Matches("^[^\n]*: ok, [0-9]+ routes?, [0-9]+ clusters?\n$", output.ToString());
        Assert.Equal(0, exitCode);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Sample_NamesTheSchemaBesideIt(string sample)
    {
        var file = RepositoryFiles.PathOf(sample.Split('/'));
        var schema = Candidates.Of(File.ReadAllText(file)).Snapshot.Values["$schema"];

        Assert.Equal(RepositoryFiles.PathOf("config", "appsettings.schema.json"), Path.Combine(Path.GetDirectoryName(file)!, schema!));
    }

    [Fact]
    public void SecretsSample_WithoutItsSecret_IsRefused()
    {
        var inputs = new ConfigurationInputs
        {
            File = RepositoryFiles.PathOf("config", "secrets.json"),
            Environment = new Dictionary<string, string> { ["PROXYGATEWAY_SECRETS_DIR"] = RepositoryFiles.PathOf("docs") },
        };

        Assert.Equal(1, CheckCommand.Run(inputs, CheckFormat.Text, new StringWriter(), new StringWriter()));
    }
}
