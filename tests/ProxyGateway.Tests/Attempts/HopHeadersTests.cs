using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using ProxyGateway.StreamingFallback.Attempts;
using Xunit;

namespace ProxyGateway.Tests.Attempts;

public sealed class HopHeadersTests
{
    [Theory]
    [InlineData("x-a")]
    [InlineData("close, X-A")]
    [InlineData("keep-alive,x-a ,, ")]
    [InlineData("close", "x-b, x-a")]
    [InlineData(" host, content-length, content-type, upgrade, x-a")]
    public void NamedHeader_IsRemovedAndNoOther(params string[] connection)
    {
        var headers = new HeaderDictionary
        {
            ["Connection"] = new StringValues(connection), ["X-A"] = "1", ["X-C"] = "1", ["Host"] = "h", ["Content-Length"] = "1", ["Content-Type"] = "t", ["Upgrade"] = "u",
        };

        HopHeaders.RemoveNamed(headers);

        Assert.Equal(["Connection", "Content-Length", "Content-Type", "Host", "Upgrade", "X-C"], headers.Keys.Order(StringComparer.Ordinal));
    }
}
