using ProxyGateway.StreamingFallback.Attempts;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

public sealed class CredentialNamesTests
{
    [Theory]
    [InlineData("Authorization")]
    [InlineData("proxy-authorization")]
    [InlineData("Cookie")]
    [InlineData("X-API-Key")]
    [InlineData("api-key")]
    [InlineData("x-goog-api-key")]
    [InlineData("x-amz-security-token")]
    [InlineData("cf-access-jwt-assertion")]
    [InlineData("helicone-auth")]
    [InlineData("X-Client-Secret")]
    [InlineData("ocp-apim-subscription-key")]
    [InlineData("OpenAI-Organization")]
    [InlineData("DPoP")]
    public void HeaderThatSaysWhoTheClientIs_IsKnownByItsName(string name) => Assert.True(CredentialNames.IsHeader(name));

    [Theory]
    [InlineData("Content-Type")]
    [InlineData("Accept")]
    [InlineData("User-Agent")]
    [InlineData("traceparent")]
    [InlineData("anthropic-version")]
    [InlineData("anthropic-beta")]
    [InlineData("Idempotency-Key")]
    [InlineData("x-request-id")]
    [InlineData("x-max-tokens")]
    [InlineData("x-author")]
    [InlineData("x-monkey")]
    public void OtherHeader_IsNot(string name) => Assert.False(CredentialNames.IsHeader(name));

    [Theory]
    [InlineData("key", true)]
    [InlineData("API_KEY", true)]
    [InlineData("access_token", true)]
    [InlineData("sig", true)]
    [InlineData("X-Amz-Signature", true)]
    [InlineData("alt", false)]
    [InlineData("api-version", false)]
    [InlineData("beta", false)]
    public void QueryParameter_IsKnownByItsName(string name, bool expected) => Assert.Equal(expected, CredentialNames.IsQueryParameter(name));
}
