using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Data;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>
/// Requests that two hops might read differently, on a plain route and on a guarded one. The upstream is a strict reader: what it
/// gets is beyond doubt, and it never gets more requests than the client gets answers.
/// </summary>
public sealed partial class DesyncTests
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    /// <summary>Each is to be refused, and no upstream may have taken it for a whole request.</summary>
    public static TheoryData<string> Ambiguous =>
    [
        "POST / HTTP/1.1\nHost: a\nContent-Length: 2\n\n{}",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: a\nContent-Length: 2\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\n{}",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\ny\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 2\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
    ];

    [Fact]
    public async Task KnownDesyncPayloads_UpstreamsGetNothingInvalidAndNoMoreThanWasAnswered()
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        var payloads = Payloads(folder);
        await using var upstream = StrictUpstream.Start("application/json", Agents.WholeAnswer);
        await using var gateway = await StartAsync(upstream);

        (string Payload, RawExchange Exchange)[] plain = [.. await Task.WhenAll(payloads.Select(async p => (p, await RawExchange.SendAsync(gateway.Http1, Bytes(p), Quiet))))];
        (string Payload, RawExchange Exchange)[] guarded = [.. await Task.WhenAll(payloads.Select(ToGuarded).Select(async p => (p, await RawExchange.SendAsync(gateway.Http1, Bytes(p), Quiet))))];

        Assert.Empty(upstream.Complaints);
        foreach (var (payload, exchange) in plain.Concat(guarded))
        {
            var complete = ReachedBy(upstream, exchange).Count(r => r.IsComplete);
            Assert.True(complete <= exchange.Statuses.Count, $"{complete} requests upstream, answers {string.Join(' ', exchange.Statuses)}, to {payload}");
            Assert.True(complete <= exchange.Statuses.Count(s => s == 200), $"A request that was refused went upstream whole: {payload}");
        }

        Assert.Equal(76 * 2, plain.Length + guarded.Length);
        Figures.Write("desync", $"{plain.Length + guarded.Length} payloads, {upstream.Requests.Count(r => r.IsComplete)} whole requests upstream, "
            + $"{plain.Concat(guarded).Sum(p => p.Exchange.Statuses.Count(s => s == 200))} answers 200, {upstream.Complaints.Count} invalid");
    }

    [Theory]
    [MemberData(nameof(Ambiguous))]
    public async Task AmbiguousRequest_IsRefusedAndTheConnectionClosed(string payload)
    {
        await using var upstream = StrictUpstream.Start("application/json", Agents.WholeAnswer);
        await using var gateway = await StartAsync(upstream);

        foreach (var request in new[] { payload, ToGuarded(payload) })
        {
            var exchange = await RawExchange.SendAsync(gateway.Http1, Bytes(request), Quiet);

            Assert.Equal([400], exchange.Statuses);
            Assert.True(exchange.ClosedByPeer);
            Assert.DoesNotContain(upstream.Requests, r => r.IsComplete);
        }

        Assert.Empty(upstream.Complaints);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/chat/completions")]
    public async Task HeadersNamedInConnection_EndHere(string path)
    {
        await using var upstream = StrictUpstream.Start("application/json", Agents.WholeAnswer);
        await using var gateway = await StartAsync(upstream);
        const string body = """{"model":"m","messages":[]}""";

        var exchange = await RawExchange.SendAsync(
            gateway.Http1,
            Bytes($"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: X-For-This-Hop, content-type, content-length, host\r\nConnection: x-gateway-hops\r\nX-For-This-Hop: 1\r\n"
                + $"x-gateway-hops: 2\r\nX-Kept: 1\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"),
            Quiet);

        Assert.Equal([200], exchange.Statuses);
        var head = Assert.Single(upstream.Requests).Head;
        Assert.DoesNotContain("X-For-This-Hop", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("X-Kept: 1", head, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json", head, StringComparison.Ordinal);
        Assert.Equal(body, Encoding.UTF8.GetString(upstream.Requests[0].Body));
    }

    internal static byte[] Bytes(string payload) => Encoding.Latin1.GetBytes(payload);

    private static Task<GatewayFixture> StartAsync(StrictUpstream upstream) => GatewayFixture.StartAsync(s =>
    {
        s.Cluster("primary", upstream.Address);
        s["ReverseProxy:Routes:all:ClusterId"] = "primary";
        s["ReverseProxy:Routes:all:Match:Path"] = "/{**rest}";
        foreach (var route in new[] { "all", "chat" })
        {
            // By the client's port a request at the upstream is told from all others.
            s[$"ReverseProxy:Routes:{route}:Transforms:0:Forwarded"] = "for";
            s[$"ReverseProxy:Routes:{route}:Transforms:0:ForFormat"] = "IpAndPort";
        }
    });

    private static IEnumerable<StrictRequest> ReachedBy(StrictUpstream upstream, RawExchange exchange) =>
        upstream.Requests.Where(r => r.Head.Contains($"127.0.0.1:{exchange.ClientPort}\"", StringComparison.Ordinal));

    private static List<string> Payloads(string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "http1-desync", "http-garden-payloads.json")));
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(c => Regex.Unescape(c.GetProperty("payload_escaped").GetString()!))];
    }

    private static string ToGuarded(string payload) => FirstLine().Replace(payload, "POST /v1/chat/completions HTTP/1.1", 1);

    [GeneratedRegex(@"^(GET|POST) /\S* HTTP/1\.1")]
    private static partial Regex FirstLine();
}
