using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>
/// Words that must not be seen again are put wherever a client or an upstream can put text, all logs are turned up to Trace, and
/// every way an exchange can end is taken. Then everything that the gateway says is searched for them.
/// </summary>
public sealed class SecretTests
{
    private const string Canary = "c4nary";

    /// <summary>Headers by which keys travel, here or behind other gateways.</summary>
    private static readonly string[] KeyHeaders =
    [
        "Authorization", "Proxy-Authorization", "Cookie", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token", "anthropic-api-key", "x-portkey-api-key",
        "x-litellm-api-key", "helicone-auth", "cf-access-jwt-assertion", "cf-aig-authorization", "x-amz-security-token", "x-csrf-token", "x-forwarded-access-token",
        "x-functions-key", "ocp-apim-subscription-key", "x-access-token", "x-client-secret", "dpop",
    ];

    private static readonly Dictionary<string, Func<RecordedExchange, UpstreamScript>> Endings = new()
    {
        ["good"] = asked => Agents.Good(asked),
        ["reset"] = asked => asked.AsksForStream ? UpstreamScript.ResetAtOnce : Agents.Good(asked),
        ["cut"] = asked => asked.AsksForStream ? Agents.Started(3).ThenReset() : Agents.Good(asked),
        ["divergence"] = asked => asked.AsksForStream ? Agents.Started(3).ThenReset() : UpstreamScript.Json(Chat.Default.Completion("something else")),
        ["500"] = _ => Failing(500),
        ["503"] = _ => Failing(503),
        // A client error's own words are the client's.
        ["429"] = _ => Agents.Error(429),
        ["event"] = asked => asked.AsksForStream ? Agents.Started(2).Body($"data: {Text(Chat.ErrorBody(Secret("upstream-event")))}\n\n").EndClean() : Failing(500),
        ["html"] = asked => asked.AsksForStream ? new UpstreamScript().Head(200, "text/html").Body(Secret("upstream-html")).EndClean() : Agents.Good(asked),
        ["headers"] = _ => UpstreamScript.NeverAnswer,
        ["garbage"] = asked => !asked.AsksForStream ? Agents.Good(asked) : UpstreamScript.EventStream().Body(string.Concat(Enumerable.Repeat($"data: {Secret("upstream-garbage")}\n\n", 4))).EndClean(),
        ["nonsense"] = _ => new UpstreamScript().Raw($"HTTP/9.9 {Secret("upstream-status-line")}\r\n{Secret("upstream-field")}\r\n\r\n").CloseWithoutTerminator(),
        ["bad-header"] = _ => new UpstreamScript().Raw($"HTTP/1.1 200 OK\r\nX-Bad\u0001: {Secret("upstream-bad-header")}\r\nContent-Length: x{Secret("upstream-length")}\r\n\r\n").CloseWithoutTerminator(),
        ["bad-chunk"] = asked => asked.AsksForStream ? Agents.Started(2).Raw($"z{Secret("upstream-chunk")}\r\n").CloseWithoutTerminator() : Agents.Good(asked),
    };

    public static TheoryData<string, Wire> EveryEnding => [.. Endings.Keys.SelectMany(e => new[] { (e, Wire.Http1), (e, Wire.Http2) })];

    [Theory]
    [MemberData(nameof(EveryEnding))]
    public async Task WhateverHappens_NothingThatWasSaidIsSeen(string ending, Wire wire)
    {
        await using var primary = ScriptedUpstream.Start();
        await using var spare = ScriptedUpstream.Start();
        primary.Choose = spare.Choose = Endings[ending];
        using var spans = new Spans();
        await using var gateway = await StartAsync(s => s
            .Global(("MaxRequestBytes", "20000"))
            .Cluster("primary", primary, ("Timeouts:ResponseHeaders", "00:00:00.5"))
            .Cluster("spare", spare, ("Credentials:Value", Secret("gateway-key")), ("Timeouts:ResponseHeaders", "00:00:00.5"), ("CircuitBreaker:FailureThreshold", "1"))
            .Fallback("primary", "spare"));
        var results = new List<HttpResult>();
        foreach (var body in new[] { Request(true), Request(false), Encoding.UTF8.GetBytes($"{{\"model\":\"{Secret("broken-body")}"), Request(true, new string('x', 30_000)) })
        {
            results.Add(await gateway.SendAsync(wire, body, WithSecrets));
        }

        if (wire == Wire.Http1)
        {
            await RawExchange.SendAsync(
                gateway.Http1,
                DesyncTests.Bytes($"POST /v1/chat/completions?q={Secret("bad-query")} HTTP/1.1\r\nHost: a\r\nX\u0001: {Secret("bad-header")}\r\n\r\n"),
                TimeSpan.FromMilliseconds(200));
        }

        Assert.Contains(gateway.Log.All, l => l.StartsWith("Trace", StringComparison.Ordinal) || l.StartsWith("Debug", StringComparison.Ordinal));
        AssertUnseen("log", gateway.Log.All);
        AssertUnseen("span", spans.All);
        AssertUnseen("error", results.Where(r => r.Status >= 400).Select(r => r.Text));
        AssertUnseen("header", results.SelectMany(r => r.Headers).Select(h => $"{h.Key}: {h.Value}"));
        AssertUnseen("stream", results.Where(r => r.Status == 200).Select(r => r.Text));
        foreach (var path in new[] { "/metrics", "/api/status", "/api/config", "/api/traffic", "/", "/health/ready" })
        {
            using var client = new HttpClient { BaseAddress = gateway.Management };
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            if (answer.Content.Headers.ContentType?.MediaType != "text/event-stream")
            {
                AssertUnseen(path, [await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)]);
            }
        }

        foreach (var asked in spare.Exchanges)
        {
            // The conversation is the spare's business, and its own key; the client's keys are not.
            AssertUnseen("spare", asked.Headers.Where(h => !h.Value.Contains("gateway-key", StringComparison.Ordinal) && h.Key != "x-harmless").Select(h => $"{h.Key}: {h.Value}"));
            Assert.DoesNotContain(Secret("query-key"), asked.Target, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret("query-token"), asked.Target, StringComparison.Ordinal);
        }

        AssertUnseen("primary", primary.Exchanges.SelectMany(e => e.Headers).Where(h => h.Value.Contains("gateway-key", StringComparison.Ordinal)).Select(h => h.Value));
    }

    [Theory]
    [InlineData(401, false)]
    [InlineData(400, true)]
    [InlineData(429, false)]
    [InlineData(500, false)]
    public async Task ErrorAnswerThatQuotesTheGatewaysKey_ReachesTheClientWithoutIt(int status, bool large)
    {
        var key = Secret("gateway-key");
        var padding = large ? new string('.', 200_000) : "";
        await using var primary = ScriptedUpstream.Start();
        primary.Default = UpstreamScript.Json(
            status,
            Chat.ErrorBody($"{padding}Incorrect API key provided: {key}. Again: {key}", code: "invalid_api_key"),
            ("x-echo", $"Bearer {key}"), ("WWW-Authenticate", $"Bearer realm=\"{key}\""), ("Set-Cookie", $"k={key}"), ("x-kept", "1"));
        await using var gateway = await StartAsync(s => s.Cluster("primary", primary, ("Credentials:Value", key)));

        var result = await gateway.SendAsync(Wire.Http1, Chat.Default.Request(stream: false));

        Assert.DoesNotContain(key, result.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(result.Headers, h => h.Value.Contains(key, StringComparison.Ordinal));
        if (status < 500)
        {
            Assert.Equal((status, "invalid_api_key"), (result.Status, result.ErrorCode()));
            Assert.Contains("Incorrect API key provided: ******", result.Text, StringComparison.Ordinal);
        }
    }

    private static Task<GatewayFixture> StartAsync(Action<GatewaySetup> configure) => GatewayFixture.StartAsync(s =>
    {
        foreach (var category in new[]
        {
            "Default", "Microsoft", "Microsoft.AspNetCore", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Server.Kestrel",
            "Microsoft.AspNetCore.Server.Kestrel.BadRequests", "Microsoft.AspNetCore.Routing", "Yarp", "Yarp.ReverseProxy.Forwarder.HttpForwarder", "System", "System.Net.Http", "ProxyGateway",
        })
        {
            s[$"Logging:LogLevel:{category}"] = "Trace";
        }

        configure(s);
    });

    private static string Secret(string where) => $"{Canary}-{where}-{Canary}";

    private static string Text(byte[] utf8) => Encoding.UTF8.GetString(utf8);

    private static byte[] Request(bool stream, string padding = "") => Encoding.UTF8.GetBytes(
        $$"""{"model":"{{Secret("model")}}","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{Secret("prompt")}}{{padding}}"}],"{{Secret("field")}}":1}""");

    private static UpstreamScript Failing(int status) => UpstreamScript.Json(
        status, Chat.ErrorBody(Secret("upstream-error"), Secret("upstream-type"), Secret("upstream-code")), ("x-upstream", Secret("upstream-header")), ("x-request-id", Secret("upstream-id")));

    private static HttpCall WithSecrets(HttpCall call) => call with
    {
        Target = $"{call.Target}?q={Secret("query")}&key={Secret("query-key")}&access_token={Secret("query-token")}",
        Headers = [.. call.Headers, .. KeyHeaders.Select(h => KeyValuePair.Create(h, Secret(h))), new("x-request-id", $"no id at all {Secret("request-id")}"), new("x-harmless", Secret("plain-header"))],
    };

    /// <remarks>A client may be answered with the model's and its own words only by the model.</remarks>
    private static void AssertUnseen(string where, IEnumerable<string> said)
    {
        var seen = said.Where(s => s.Contains(Canary, StringComparison.OrdinalIgnoreCase)).Select(s => s.Length > 600 ? s[..600] : s).Distinct().ToList();
        Assert.True(seen.Count == 0, $"Seen in {where}:\n{string.Join("\n", seen)}");
    }

    /// <summary>Every span of every source in this process, as an exporter would get it. Other tests' spans hold no canary.</summary>
    private sealed class Spans : IDisposable
    {
        private readonly ConcurrentQueue<string> _all = new();
        private readonly ActivityListener _listener;

        public Spans()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = _ => true,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = a => _all.Enqueue($"{a.Source.Name} {a.DisplayName} {string.Join(", ", a.TagObjects.Select(t => $"{t.Key}={t.Value}"))} {string.Join(", ", EventsOf(a).SelectMany(e => e.Tags).Select(t => $"{t.Key}={t.Value}"))}"),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IEnumerable<string> All => _all;

        public void Dispose() => _listener.Dispose();

        /// <summary>The client library's own spans quote a status line that cannot be read; the gateway exports none of them.</summary>
        private static IEnumerable<ActivityEvent> EventsOf(Activity activity) => activity.Source.Name == "System.Net.Http" ? [] : activity.Events;
    }
}
