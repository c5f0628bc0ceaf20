using System.Text;
using System.Text.Json;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>
/// Nothing in a request or in an upstream's answer picks a host. The names are those by which other gateways and proxies were
/// or are told where to send a request (server-side request forgery).
/// </summary>
public sealed class ForeignHostTests
{
    private static readonly string[] Headers =
    [
        "x-portkey-custom-host", "x-portkey-config", "x-portkey-provider", "helicone-target-url", "helicone-openai-api-base", "cf-aig-custom-host",
        "x-upstream-url", "x-upstream", "x-upstream-host", "x-target-url", "x-target-host", "x-target", "x-proxy-target", "x-proxy-url", "x-base-url",
        "x-api-base", "x-openai-api-base", "openai-base-url", "x-ai-base", "x-endpoint", "x-destination", "x-backend", "x-backend-url", "x-envoy-original-dst-host",
        "x-original-url", "x-original-host", "x-rewrite-url", "x-host", "x-forwarded-host", "x-forwarded-server", "x-forwarded-proto", "x-forwarded-prefix",
        "x-http-host-override", "x-real-host", "forwarded", "proxy", "http-proxy", "x-wap-profile", "referer", "origin", "location", "destination", "from",
    ];

    private static readonly string[] Fields =
    [
        "api_base", "base_url", "baseURL", "apiBase", "api_url", "endpoint", "url", "host", "target", "target_url", "upstream", "upstream_url", "custom_host",
        "proxy", "provider", "model_url", "azure_endpoint", "api_endpoint", "base_path", "server", "webhook", "callback_url", "fallbacks", "litellm_params", "extra_body",
        "service_account_base_url", "vertex_api_base", "aws_bedrock_runtime_endpoint", "image_url", "route",
    ];

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task HeadersFieldsAndModels_ReachTheConfiguredUpstreamOnly(Wire wire)
    {
        await using var trap = new Trap();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Chat("primary", ("Models:other-*", "other")).Cluster("primary", upstream).Cluster("other", upstream.Address);
            s["ReverseProxy:Routes:all:ClusterId"] = "primary";
            s["ReverseProxy:Routes:all:Match:Path"] = "/{**rest}";
        });
        var url = $"http://127.0.0.1:{trap.Port}/v1";
        string[] addresses = [url, $"127.0.0.1:{trap.Port}", $"{{\"provider\":\"openai\",\"custom_host\":\"{url}\"}}", $"host=127.0.0.1:{trap.Port};proto=http"];
        List<(string What, Func<HttpCall, HttpCall> Change)> tries = [];
        foreach (var address in addresses)
        {
            tries.AddRange(Headers.Select(h => ($"header {h}: {address}", With(c => c with { Headers = [.. c.Headers, new(h, address)] }))));
        }

        tries.AddRange(Fields.SelectMany(f => new[] { Quote(url), $"{{\"url\":{Quote(url)},\"api_base\":{Quote(url)},\"base_url\":{Quote(url)}}}" }
            .Select(v => ($"field {f}", With(c => c with { Body = Body($"\"{f}\":{v}") })))));
        tries.AddRange(new[] { url, $"other-{url}", $"openai/{url}", $"127.0.0.1:{trap.Port}", $"@127.0.0.1:{trap.Port}/m" }
            .Select(m => ($"model {m}", With(c => c with { Body = Encoding.UTF8.GetBytes($$"""{"model":{{Quote(m)}},"stream":true,"messages":[]}""") }))));
        tries.AddRange(new[] { "api_base", "base_url", "target", "url", "host", "upstream" }.Select(q => ($"query {q}", With(c => c with { Target = $"{c.Target}?{q}={Uri.EscapeDataString(url)}" }))));
        // The other client would make such a target absolute by itself.
        tries.AddRange(wire == Wire.Http2 ? [] : new[] { $"//127.0.0.1:{trap.Port}/v1", $"/@127.0.0.1:{trap.Port}/", $"/\\127.0.0.1:{trap.Port}/", $"/http://127.0.0.1:{trap.Port}/", $"/..;@127.0.0.1:{trap.Port}/", "/%2f%2f127.0.0.1/" }
            .Select(t => ($"target {t}", With(c => c with { Target = t }))));

        foreach (var (what, change) in tries)
        {
            var result = await gateway.SendAsync(wire, Body("\"x\":1"), change);
            Assert.True(result.Status is not null and < 500, $"{what}: {result.Status} {result.Ending}");
        }

        Assert.Equal(0, trap.Caught);
        Assert.InRange(upstream.RequestCount, Headers.Length + Fields.Length, tries.Count);
        Figures.Write("foreign host", $"{tries.Count} requests over {wire} with {Headers.Length} headers and {Fields.Length} fields, {trap.Caught} connections to the trap");
    }

    [Fact]
    public async Task HostAndRequestTarget_PickARouteAtMost()
    {
        await using var trap = new Trap();
        await using var upstream = StrictUpstream.Start("application/json", Agents.WholeAnswer);
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream.Address);
            s["ReverseProxy:Routes:all:ClusterId"] = "primary";
            s["ReverseProxy:Routes:all:Match:Path"] = "/{**rest}";
        });
        var host = $"127.0.0.1:{trap.Port}";
        const string body = "{\"model\":\"m\",\"messages\":[]}";
        string[] requests =
        [
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {body.Length}\r\n\r\n{body}",
            $"POST http://{host}/v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {body.Length}\r\n\r\n{body}",
            $"POST http://{host}/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: {body.Length}\r\n\r\n{body}",
            $"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
            $"GET /x HTTP/1.1\r\nHost: {host}@a\r\n\r\n",
            $"GET @{host}/ HTTP/1.1\r\nHost: a\r\n\r\n",
            $"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n",
            $"OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n",
        ];

        foreach (var request in requests)
        {
            var exchange = await RawExchange.SendAsync(gateway.Http1, DesyncTests.Bytes(request), TimeSpan.FromSeconds(1));
            Assert.True(exchange.Statuses is [200 or (>= 400 and < 500)], $"{string.Join(' ', exchange.Statuses)} to {request}");
        }

        Assert.Equal(0, trap.Caught);
        Assert.Empty(upstream.Complaints);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task RedirectOfAnUpstream_IsNotFollowed(int status)
    {
        await using var trap = new Trap();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.Json(status, "{}"u8.ToArray(), ("Location", $"http://127.0.0.1:{trap.Port}/v1/chat/completions"), ("Alt-Svc", $"h2=\"127.0.0.1:{trap.Port}\""));
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Cluster("primary", upstream);
            s["ReverseProxy:Routes:all:ClusterId"] = "primary";
            s["ReverseProxy:Routes:all:Match:Path"] = "/{**rest}";
        });

        await gateway.StreamAsync();
        await gateway.SendAsync(Wire.Http1, [], c => c with { Method = "GET", Target = "/other" });

        Assert.Equal(0, trap.Caught);
    }

    private static Func<HttpCall, HttpCall> With(Func<HttpCall, HttpCall> change) => change;

    private static byte[] Body(string member) => Encoding.UTF8.GetBytes($$"""{"model":"m","stream":true,"messages":[],{{member}}}""");

    private static string Quote(string text) => JsonSerializer.Serialize(text);
}
