using Microsoft.AspNetCore.Http;
using ProxyGateway.Configuration;
using ProxyGateway.Management.Security;
using Xunit;

namespace ProxyGateway.Tests.Management;

public sealed class ManagementAccessTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8081", true)]
    [InlineData("http://localhost:8081", true)]
    [InlineData("http://[::1]:8081", true)]
    [InlineData("http://unix:/run/proxygateway.sock", true)]
    [InlineData("http://0.0.0.0:8081", false)]
    [InlineData("http://*:8081", false)]
    [InlineData("http://[::]:8081", false)]
    [InlineData("http://10.1.2.3:8081", false)]
    [InlineData("http://gateway:8081", false)]
    public void Address_IsLoopbackOrNot(string listen, bool expected) =>
        Assert.Equal(expected, new ManagementAccess(new GatewayOptions { ManagementListen = listen }).OnLoopback);

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public void NotOnLoopbackWithoutAConfiguredKey_ApiIsRefusedWithTheReason(string method)
    {
        var refusal = Judge("http://0.0.0.0:8081", null, method, "/api/status", key: "any");

        Assert.Equal((403, "no_key_configured"), (refusal?.Status, refusal?.Code));
        Assert.Contains("Gateway:ManagementKey", refusal?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("wrong", 401)]
    [InlineData("right", null)]
    public void NotOnLoopback_KeyDecides(string? key, int? status)
    {
        Assert.Equal(status, Judge("http://0.0.0.0:8081", "right", "GET", "/api/status", key)?.Status);
        Assert.Equal(status, Judge("http://0.0.0.0:8081", "right", "POST", "/api/reload", key)?.Status);
        Assert.Null(Judge("http://0.0.0.0:8081", "right", "GET", "/", key));
    }

    [Theory]
    [InlineData("127.0.0.1:8081", true)]
    [InlineData("LOCALHOST:8081", true)]
    [InlineData("[::1]:8081", true)]
    [InlineData("127.0.0.1.evil.example:8081", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("0.0.0.0:8081", false)]
    [InlineData("", false)]
    public void OnLoopback_OnlyLoopbackNamesAreAnswered(string host, bool answered) =>
        Assert.Equal(answered, Judge("http://127.0.0.1:8081", null, "GET", "/api/status", null, host) is null);

    private static Refusal? Judge(string listen, string? configuredKey, string method, string path, string? key, string host = "127.0.0.1:8081")
    {
        var request = new DefaultHttpContext().Request;
        (request.Method, request.Path, request.Host, request.Scheme) = (method, path, new HostString(host), "http");
        request.Headers[ManagementAccess.MarkHeader] = "1";
        if (key is not null)
        {
            request.Headers.Authorization = $"Bearer {key}";
        }

        return new ManagementAccess(new GatewayOptions { ManagementListen = listen, ManagementKey = configuredKey }).Judge(request);
    }
}
