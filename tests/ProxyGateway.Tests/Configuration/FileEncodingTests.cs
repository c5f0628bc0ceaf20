using System.Text;
using ProxyGateway.Configuration.Parsing;
using ProxyGateway.Configuration.Validation;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

/// <summary>What editors make of a file besides its text.</summary>
public sealed class FileEncodingTests
{
    [Theory]
    [InlineData("utf-16", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", true)]
    [InlineData("utf-16BE", false)]
    public void Utf16_IsNamed(string name, bool marked) =>
        Assert.Equal("test.json:1:1: error: (file): UTF-16, not UTF-8; save the file as UTF-8", Assert.Single(Findings(Encoding.GetEncoding(name), marked)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Utf8_IsReadWithAndWithoutItsMark(bool marked) => Assert.Empty(Findings(Encoding.UTF8, marked));

    private static List<string> Findings(Encoding encoding, bool marked)
    {
        var diagnostics = new DiagnosticBag();
        SettingsParser.Parse((byte[])[.. marked ? encoding.Preamble : [], .. encoding.GetBytes(Candidates.OneAgent)], "test.json", diagnostics);
        return [.. diagnostics.Sorted().Select(d => d.ToString())];
    }
}
