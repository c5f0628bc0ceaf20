using System.Net;
using System.Net.Http.Headers;
using Xunit;

namespace ProxyGateway.IntegrationTests.Management;

public sealed class AccessTests
{
    private const string Action = "/api/clusters/good/circuit/isolate";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Posts_OfAnotherSitesPage_AreRefused()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(r => r.Headers.Remove("x-gateway-management")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(r => r.Headers.Add("Sec-Fetch-Site", "cross-site")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(r => r.Headers.Add("Sec-Fetch-Site", "same-site")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(r => r.Headers.Add("Origin", "http://evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(r => r.Headers.Add("Origin", "null")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(r => r.Headers.Add("Origin", $"http://127.0.0.1:{gateway.Address.Port + 1}")));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(r => r.Headers.Host = $"rebound.example:{gateway.Address.Port}"));
        Assert.Equal(0, (await gateway.StatusAsync(Cancel)).GetProperty("circuitChanges").GetArrayLength());

        Assert.Equal(HttpStatusCode.OK, await SendAsync(r =>
        {
            r.Headers.Add("Sec-Fetch-Site", "same-origin");
            r.Headers.Add("Origin", gateway.Address.GetLeftPart(UriPartial.Authority));
        }));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(r => r.Headers.Host = $"localhost:{gateway.Address.Port}"));

        async Task<HttpStatusCode> SendAsync(Action<HttpRequestMessage> change)
        {
            using var request = gateway.Post(Action);
            change(request);
            using var response = await gateway.Client.SendAsync(request, Cancel);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("/api/status")]
    [InlineData("/api/events")]
    [InlineData("/")]
    public async Task Gets_UnderAForeignName_AreRefused(string path)
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "rebound.example" } };

        using var response = await gateway.Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task ConfiguredKey_IsAskedForByTheApiOnly()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel, ("Gateway:ManagementKey", "open sesame"));

        foreach (var path in (string[])["/", "/metrics", "/health/live", "/health/ready", "/app.js"])
        {
            using var open = await gateway.Client.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.OK, open.StatusCode);
        }

        using var without = await gateway.Client.GetAsync("/api/status", Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        Assert.Equal("Bearer", Assert.Single(without.Headers.WwwAuthenticate).Scheme);
        gateway.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "open sesam");
        using var wrong = await gateway.PostAsync(Action, Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        gateway.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "open sesame");
        using var right = await gateway.PostAsync(Action, Cancel);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.DoesNotContain("sesame", await gateway.Client.GetStringAsync("/api/config", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_IsServedUnderAStrictPolicyAndNowhereElse()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        foreach (var (path, type) in (IEnumerable<(string, string)>)[("/", "text/html"), ("/status.css", "text/css"), ("/app.js", "text/javascript"), ("/uplot/uPlot.iife.min.js", "text/javascript"), ("/uplot/LICENSE", "text/plain")])
        {
            using var response = await gateway.Client.GetAsync(path, Cancel);
            Assert.Equal((HttpStatusCode.OK, type), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            using var again = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { response.Headers.ETag! } } };
            using var unchanged = await gateway.Client.SendAsync(again, Cancel);
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        }

        foreach (var path in (string[])["/", "/app.js", "/api/status", "/metrics"])
        {
            using var onProxy = await gateway.Client.GetAsync(new Uri(gateway.Proxy, path), Cancel);
            Assert.Equal(HttpStatusCode.NotFound, onProxy.StatusCode);
        }
    }
}
