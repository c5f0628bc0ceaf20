using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hosting;

/// <summary>What a client of a plain route gets where the gateway itself has to answer.</summary>
public sealed class PlainRouteErrorTests
{
    [Fact]
    public async Task UpstreamThatIsDown_IsToldAsProblemDetails()
    {
        await using var gateway = await StartAsync(Nobody());

        using var answer = await SendAsync(gateway, new StringContent("a"));

        await AssertProblemAsync(answer, HttpStatusCode.BadGateway, "upstream_unreachable");
    }

    [Fact]
    public async Task BodyOverItsLimit_IsToldAsProblemDetails()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.NeverAnswer);
        await using var gateway = await StartAsync(upstream.Address, maxBody: 4);

        using var answer = await SendAsync(gateway, new StringContent("12345"));

        await AssertProblemAsync(answer, HttpStatusCode.RequestEntityTooLarge, "request_too_large");
    }

    [Fact]
    public async Task TimeoutOfTheRoute_IsToldAsProblemDetails()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.NeverAnswer);
        await using var gateway = await StartAsync(upstream.Address, timeout: "00:00:00.2");

        using var answer = await SendAsync(gateway, new StringContent("a"));

        await AssertProblemAsync(answer, HttpStatusCode.GatewayTimeout, "upstream_timeout");
    }

    [Fact]
    public async Task Grpc_GetsTheStatusAlone()
    {
        await using var gateway = await StartAsync(Nobody());
        using var content = new StringContent("a");
        content.Headers.ContentType = new("application/grpc");

        using var answer = await SendAsync(gateway, content);

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Null(answer.Content.Headers.ContentType);
    }

    [Fact]
    public async Task EmptyErrorOfTheUpstream_StaysEmpty()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json(503, []));
        await using var gateway = await StartAsync(upstream.Address);

        using var answer = await SendAsync(gateway, new StringContent("a"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    private static Task<GatewayFixture> StartAsync(Uri upstream, int? maxBody = null, string? timeout = null) => GatewayFixture.StartAsync(s =>
    {
        s.Cluster("primary", upstream);
        s["ReverseProxy:Routes:plain:ClusterId"] = "primary";
        s["ReverseProxy:Routes:plain:Match:Path"] = "/plain";
        s["ReverseProxy:Routes:plain:Timeout"] = timeout;
        s["ReverseProxy:Routes:plain:MaxRequestBodySize"] = maxBody?.ToString(System.Globalization.CultureInfo.InvariantCulture);
    });

    private static Uri Nobody()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = new Uri($"http://{taken.LocalEndpoint}");
        taken.Stop();
        return address;
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayFixture gateway, HttpContent content)
    {
        using var client = new HttpClient();
        return await client.PostAsync(new Uri(gateway.Http1, "/plain"), content, TestContext.Current.CancellationToken);
    }

    private static async Task AssertProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(code, problem.GetProperty("title").GetString());
    }
}
