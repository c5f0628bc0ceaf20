using Microsoft.Extensions.Configuration;
using ProxyGateway.Management.Settings;
using Xunit;

namespace ProxyGateway.Tests.Management;

public sealed class RedactedConfigurationTests
{
    [Theory]
    [InlineData("Gateway:ManagementKey", "hush")]
    [InlineData("Gateway:Certificate:Password", "hush")]
    [InlineData("Gateway:Backplane:ConnectionString", "redis:6379,password=hush")]
    [InlineData("ReverseProxy:Clusters:a:Credentials:Value", "hush")]
    [InlineData("ReverseProxy:Clusters:a:Metadata:client_secret", "hush")]
    [InlineData("ReverseProxy:Clusters:a:Metadata:AccessToken", "hush")]
    [InlineData("ReverseProxy:Routes:r:Transforms:0:Set", "hush")]
    [InlineData("ReverseProxy:Routes:r:Transforms:0:Append", "hush")]
    [InlineData("ReverseProxy:Routes:r:Match:Headers:0:Values:0", "hush")]
    [InlineData("ReverseProxy:Routes:r:Match:QueryParameters:0:Values:0", "hush")]
    [InlineData("ReverseProxy:Clusters:a:Metadata:Note", "sk-hush")]
    [InlineData("ReverseProxy:Clusters:a:Metadata:Note", "Bearer hush")]
    [InlineData("ReverseProxy:Clusters:a:Metadata:Note", "hush0123456789abcdef0123456789abcdef")]
    [InlineData("ReverseProxy:Clusters:a:Destinations:x:Address", "https://hush:hush@host/v1")]
    [InlineData("ReverseProxy:Clusters:a:Destinations:x:Address", "https://host/v1?key=hush")]
    public void Secret_IsHidden(string key, string value)
    {
        var json = Redact(key, value);

        Assert.DoesNotContain("hush", json, StringComparison.Ordinal);
        Assert.Contains(RedactedConfiguration.Hidden, json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Gateway:Certificate:KeyPath", "/run/tls/key.pem", "\"/run/tls/key.pem\"")]
    [InlineData("Gateway:Backplane:ConnectionStringFile", "/run/secrets/redis", "\"/run/secrets/redis\"")]
    [InlineData("Gateway:Backplane:KeyPrefix", "team-a:", "\"team-a:\"")]
    [InlineData("StreamingFallback:MaxAttempts", "3", "3")]
    [InlineData("StreamingFallback:Enabled", "True", "true")]
    [InlineData("ReverseProxy:Clusters:a:ForwardClientCredentials", "false", "false")]
    [InlineData("ReverseProxy:Clusters:a:Destinations:x:Address", "http://127.0.0.1:1/v1", "\"http://127.0.0.1:1/v1\"")]
    [InlineData("ReverseProxy:Routes:r:Transforms:0:RequestHeader", "Authorization", "\"Authorization\"")]
    [InlineData("ReverseProxy:Clusters:a:Timeouts:Idle", "00:00:30", "\"00:00:30\"")]
    [InlineData("ReverseProxy:Routes:r:Match:Path", "/v1/chat/completions/of/a/rather/long/path", "\"/v1/chat/completions/of/a/rather/long/path\"")]
    public void Setting_IsShown(string key, string value, string expected) => Assert.Contains($":{expected}", Redact(key, value), StringComparison.Ordinal);

    [Fact]
    public void OtherSections_AreNotShown() => Assert.Equal("{}", Redact("ConnectionStrings:Main", "hush"));

    private static string Redact(string key, string value) =>
        RedactedConfiguration.Of(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build()).ToJsonString();
}
