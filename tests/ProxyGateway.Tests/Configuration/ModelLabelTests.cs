using Microsoft.Extensions.Configuration;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class ModelLabelTests
{
    [Theory]
    [InlineData("gpt-5", "gpt-5")]
    [InlineData("claude-opus-9", "claude-*")]
    [InlineData("the-user's-own-secret-name", "other")]
    [InlineData(null, "other")]
    public void ConfiguredLabels_BoundWhatIsSaid(string? model, string label) => Assert.Equal(label, Limits("gpt-5", "claude-*").LabelOf(model));

    [Fact]
    public void NoLabels_NothingIsSaid() => Assert.Null(Limits().LabelOf("gpt-5"));

    private static LimitSettings Limits(params string[] labels)
    {
        var root = new ConfigurationBuilder().AddInMemoryCollection(
            labels.Select((l, i) => KeyValuePair.Create($"StreamingFallback:ModelLabels:{i}", (string?)l))).Build();
        return new SettingsReader(root.GetSection("ReverseProxy"), root).ReadLimits();
    }
}
