using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class ModelPatternTests
{
    [Theory]
    [InlineData("gemini-*", "gemini-2.5-pro", true)]
    [InlineData("gemini-*", "GEMINI-x", true)]
    [InlineData("gemini-*", "gemini", false)]
    [InlineData("*", "", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("*mini*", "gpt-5-mini-2026", true)]
    [InlineData("*a*b", "xaxbxab", true)]
    [InlineData("openrouter,*", "openrouter,x/y", true)]
    [InlineData("exact", "exact!", false)]
    public void Pattern_Matches(string pattern, string model, bool matches) => Assert.Equal(matches, new ModelPattern(pattern).Matches(model));
}
