using ProxyGateway.Management.Api;
using Xunit;

namespace ProxyGateway.Tests.Management;

public sealed class PlainTextTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("  plain  ", "plain")]
    [InlineData("a\r\nb\tc", "a  b c")]
    [InlineData("a\u2028b\u2029c\u0085d", "a b c d")]
    [InlineData("\u202Eevil\u202C", "evil")]
    [InlineData("\u001b[31mred", "[31mred")]
    [InlineData("Grüße 漢字 🙂", "Grüße 漢字 🙂")]
    public void Text_BecomesOneHarmlessLine(string? text, string expected) => Assert.Equal(expected, PlainText.Of(text, 100));

    [Theory]
    [InlineData("abcdef", 6, "abcdef")]
    [InlineData("abcdefg", 6, "abcdef…")]
    [InlineData("abcde🙂", 6, "abcde…")]
    public void LongText_IsCutBetweenCharacters(string text, int length, string expected) => Assert.Equal(expected, PlainText.Of(text, length));
}
