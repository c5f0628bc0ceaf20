using ProxyGateway.Configuration.Commands;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.Configuration.Validation;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
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

        // Whether this build speaks a sample's format is not the sample's fault.
        var context = ValidationContext.OfThisMachine(file) with { ServedFormats = null };
        var exitCode = CheckCommand.Run(new ConfigurationInputs { File = file }, CheckFormat.Text, output, errors, context);

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
    public void FormatThisBuildCannotGuard_IsRefused()
    {
        var context = new ValidationContext { ServedFormats = ["gemini"] };

        var error = Assert.Single(Candidates.Of(Candidates.OneAgent, context: context).Errors);

        Assert.EndsWith("this build cannot guard that format (\"openai-chat\"); use one of gemini, or none for plain proxying", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryFormatOfTheBuild_MayBeNamed() => Assert.Subset(ChatFormatNames.All.ToHashSet(), ChatFormatRegistry.Served.ToHashSet());

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
