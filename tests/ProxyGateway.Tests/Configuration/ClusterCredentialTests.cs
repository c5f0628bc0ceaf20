using Microsoft.Extensions.Time.Testing;
using ProxyGateway.StreamingFallback.Configuration;
using Xunit;

namespace ProxyGateway.Tests.Configuration;

public sealed class ClusterCredentialTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();

    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void NoValue_NoCredential()
    {
        Assert.Null(ClusterCredential.From("c", new CredentialOptions()));
    }

    [Theory]
    [InlineData("Authorization", null, "Bearer k1")]
    [InlineData("Authorization", "", "k1")]
    [InlineData("Authorization", "Basic", "Basic k1")]
    [InlineData("x-api-key", null, "k1")]
    [InlineData("x-api-key", "Key", "Key k1")]
    public void HeaderAndScheme_MakeTheValue(string header, string? scheme, string expected)
    {
        var credential = ClusterCredential.From("c", new CredentialOptions { Header = header, Scheme = scheme, Value = "k1" });

        Assert.Equal((header, expected), (credential!.Header, credential.HeaderValue(_time)));
    }

    [Fact]
    public void FileIsRotated_NewKeyWithinSecondsAndTheOldOneWhileTheFileIsUnusable()
    {
        File.WriteAllText(_file, "k1\n");
        var credential = ClusterCredential.From("c", new CredentialOptions { Header = "x-api-key", ValueFile = _file })!;
        Assert.Equal("k1", credential.HeaderValue(_time));

        File.WriteAllText(_file, "");
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("k1", credential.HeaderValue(_time));

        File.WriteAllText(_file, "k2\r\n");
        Assert.Equal("k1", credential.HeaderValue(_time));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("k2", credential.HeaderValue(_time));
        Assert.Equal("k2", credential.Secret);
    }

    [Theory]
    [InlineData("Authorization", "", null, "Clusters:c:Credentials:Value")]
    [InlineData("Authorization", "se\ncret", null, "Clusters:c:Credentials:Value")]
    [InlineData("Authorization", null, "/no/such/file", "Clusters:c:Credentials:ValueFile")]
    [InlineData("Authorization", "secret", "/no/such/file", "Clusters:c:Credentials")]
    [InlineData("no header", "secret", null, "Clusters:c:Credentials:Header")]
    public void UnusableBlock_IsRefusedByNameWithoutTheKey(string header, string? value, string? file, string named)
    {
        var options = new CredentialOptions { Header = header, Value = value, ValueFile = file };

        var problem = Assert.Throws<InvalidOperationException>(() => ClusterCredential.From("c", options)).Message;

        Assert.StartsWith(named + ":", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Incorrect key: sk-12345.", "Incorrect key: ********.")]
    [InlineData("sk-12345sk-12345 sk-1234 sk-12345", "**************** sk-1234 ********")]
    [InlineData("nothing", "nothing")]
    [InlineData("", "")]
    public void TextThatQuotesTheKey_IsBlottedOut(string text, string expected)
    {
        var credential = ClusterCredential.From("c", new CredentialOptions { Value = "sk-12345" })!;
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);

        credential.Mask(bytes);

        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(bytes));
    }

    public void Dispose() => File.Delete(_file);
}
