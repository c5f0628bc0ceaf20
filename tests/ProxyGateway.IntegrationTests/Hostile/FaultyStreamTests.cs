using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>
/// Thousands of streams at once against a gateway of its own process, a fifth of them with an upstream that fails in one of all
/// the ways there are. Each says something of its own, so that bytes of one in another would show.
/// </summary>
public sealed class FaultyStreamTests
{
    private static readonly string[] s_words = ["The ", "quick ", "brown ", "fox ", "jumps ", "over ", "the ", "lazy ", "dög."];

    /// <summary>What a faulty upstream does with the stream of exchange n, and with its replay.</summary>
    private static readonly (string Name, Func<int, UpstreamScript> Stream, Func<int, UpstreamScript> Replay)[] Faults =
    [
        ("reset at once", _ => UpstreamScript.ResetAtOnce, Whole),
        ("no answer", _ => UpstreamScript.NeverAnswer, Whole),
        ("500", _ => Agents.Error(500), Whole),
        ("429", _ => Agents.Error(429), Whole),
        ("503 with Retry-After", _ => Agents.Error(503, ("Retry-After", "1")), Whole),
        ("529", _ => Agents.Error(529), _ => Agents.Error(529)),
        ("401", _ => Agents.Error(401), Whole),
        ("a page under 200", _ => new UpstreamScript().Head(200, "text/html").Body("<html>").EndClean(), Whole),
        ("an error under 200", _ => UpstreamScript.Json(Chat.ErrorBody()), Whole),
        ("an error event", n => Begun(n, 4).Body($"data: {Encoding.UTF8.GetString(Chat.ErrorBody())}\n\n").EndClean(), Whole),
        ("an error event first", _ => UpstreamScript.EventStream().Body($"data: {Encoding.UTF8.GetString(Chat.ErrorBody())}\n\n").EndClean(), Whole),
        ("reset in mid-stream", n => Begun(n, 4).ThenReset(), Whole),
        ("reset in mid-event", n => Begun(n, 3).Body("data: {\"id\":\"half").ThenReset(), Whole),
        ("closed in mid-stream", n => Begun(n, 5).CloseWithoutTerminator(), Whole),
        ("closed after the role", n => Begun(n, 0).CloseWithoutTerminator(), Whole),
        ("a bad chunk", n => Begun(n, 4).Delay(TimeSpan.FromMilliseconds(500)).BadChunk(), Whole),
        ("silence in mid-stream", n => Begun(n, 4).Stall(), Whole),
        ("silence after the headers", _ => UpstreamScript.EventStream().Stall(), Whole),
        ("no terminal", n => Begun(n, 9).EndClean(), Whole),
        ("an empty stream", _ => UpstreamScript.EventStream().EndClean(), Whole),
        ("an event too large", n => Begun(n, 3).Body(Of(n).Text(new string('x', 70_000))).EndClean(), Whole),
        ("events that are none", n => Begun(n, 3).Body("data: {\n\ndata: }\n\ndata: ]\n\n").Stall(), Whole),
        ("a length that is a lie", n => UpstreamScript.EventStream(BodyFraming.ContentLength, 100_000).Body(Chat.Bytes(Of(n).Role(), Of(n).Text(s_words[0]))).CloseWithoutTerminator(), Whole),
        ("a replay that differs", n => Begun(n, 4).ThenReset(), n => UpstreamScript.Json(Of(n).Completion("Something else."))),
        ("a replay that is none", n => Begun(n, 4).ThenReset(), _ => UpstreamScript.Json("{}"u8.ToArray())),
        ("a replay that breaks off", n => Begun(n, 4).ThenReset(), _ => new UpstreamScript().Head(200, "application/json", BodyFraming.ContentLength, 5000).Body("{\"id\"").CloseWithoutTerminator()),
        ("a replay that is late", n => Begun(n, 4).ThenReset(), _ => UpstreamScript.NeverAnswer),
        ("everything", _ => UpstreamScript.ResetAtOnce, _ => UpstreamScript.ResetAtOnce),
    ];

    [Fact]
    public async Task StreamsWithAFifthFaulty_AllKeepTheContract()
    {
        var count = Figures.Size(500, 10_000);
        await using var primary = ScriptedUpstream.Start();
        await using var spare = ScriptedUpstream.Start();
        using var refusing = new RefusingEndpoint();
        primary.Choose = asked => Number(asked) is var n && FaultOf(n) is { } fault ? (asked.AsksForStream ? fault.Stream(n) : fault.Replay(n)) : Answer(n, asked);
        // The fallback fails too, for one in eight of those that come to it.
        spare.Choose = asked => Number(asked) is var n && n % 40 == 3 ? Agents.Error(500) : Answer(n, asked);
        await using var gateway = await GatewayProcess.StartAsync(s => Configure(s, primary, spare, refusing));
        var results = new ConcurrentDictionary<int, HttpResult>();
        var since = Stopwatch.StartNew();

        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = 200, CancellationToken = TestContext.Current.CancellationToken },
            async (n, cancel) => results[n] = await SendAsync(gateway, n, cancel));

        var took = since.Elapsed;
        await gateway.AssertIdleAsync();
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        var attempts = Attempts(("primary", primary), ("spare", spare));
        var violations = results.SelectMany(r => Check(r.Key, r.Value, attempts.GetValueOrDefault(r.Key) ?? [])).ToList();
        var hung = results.Values.Count(r => r.Ending == ClientEnding.TimedOut);
        var said = string.Join(", ", outcomes.OrderByDescending(o => o.Value).Select(o => $"{o.Key} {o.Value}"));
        Figures.Write("sockets", $"{count} streams, 200 at a time, {took.TotalSeconds:0} s; violations {violations.Count}, hung {hung}, sum of outcomes {outcomes.Values.Sum()} ({said}); peak {gateway.PeakResident >> 20} MB");

        Assert.True(violations.Count == 0, string.Join('\n', violations.Take(20)));
        Assert.Equal(0, hung);
        Assert.Equal(count, outcomes.Values.Sum());
        // How many of them a circuit sends to the fallback at once depends on how busy the machine is.
        Assert.True(outcomes.GetValueOrDefault("completed") + outcomes.GetValueOrDefault("recovered") >= count * 9 / 10, said);
        Assert.True(outcomes.GetValueOrDefault("recovered") >= count / 20, said);
    }

    private static void Configure(GatewaySetup setup, ScriptedUpstream primary, ScriptedUpstream spare, RefusingEndpoint refusing)
    {
        (string, string)[] clocks = [("Timeouts:Connect", "00:00:01"), ("Timeouts:ResponseHeaders", "00:00:02"), ("Timeouts:FirstContent", "00:00:02"), ("Timeouts:Idle", "00:00:02"), ("Timeouts:Replay", "00:00:02")];
        setup.Chat("primary", ("Models:refused", "refused"), ("Models:tls", "tls")).Global(("MaxEventBytes", "65536"))
            .Cluster("primary", primary, clocks).Cluster("spare", spare, clocks)
            .Cluster("refused", refusing.Address, clocks)
            // Whoever speaks TLS to an upstream that does not gets no handshake.
            .Cluster("tls", new UriBuilder(primary.Address) { Scheme = "https" }.Uri, clocks)
            .Fallback("primary", "spare").Fallback("refused", "spare").Fallback("tls", "spare");
    }

    private static async Task<HttpResult> SendAsync(GatewayProcess gateway, int n, CancellationToken cancel)
    {
        var call = new HttpCall
        {
            Address = n % 2 == 0 ? gateway.Http1 : gateway.Http2,
            Body = RequestOf(n),
            Headers = [new("Content-Type", "application/json"), new("x-request-id", $"n-{n}")],
            Timeout = TimeSpan.FromSeconds(60),
        };
        return n % 2 == 0 ? await RawHttpClient.SendAsync(call, cancel) : await Http2Client.SendAsync(call, cancel);
    }

    private static IEnumerable<string> Check(int n, HttpResult result, List<AttemptRecord> attempts)
    {
        var violations = StreamContract.Check(new Transcript
        {
            RequestBody = RequestOf(n),
            Attempts = attempts,
            Client = result.ToClientRecord(),
            Limits = new ContractLimits { MaxEventBytes = 65536, MaxAttempts = 3 },
            // Where all circuits are open nobody is asked.
            GatewayGaveUp = attempts.Count == 0,
        });
        return violations.Select(v => $"{n} ({FaultOf(n)?.Name ?? ModelOf(n)}): {v}; client {result.Status}, {result.Ending}; {string.Join(", ", attempts.Select(a => $"{a.Kind} at {a.Cluster} {a.Status} {a.Ending}"))}");
    }

    private static Dictionary<int, List<AttemptRecord>> Attempts(params (string Cluster, ScriptedUpstream Upstream)[] upstreams) => upstreams
        .SelectMany(u => u.Upstream.Exchanges.Select(e => (u.Cluster, Exchange: e)))
        .OrderBy(x => x.Exchange.At)
        .GroupBy(x => Number(x.Exchange))
        .ToDictionary(g => g.Key, g => g.Select(x => x.Exchange.ToAttempt(x.Cluster, x.Cluster == "spare")).ToList());

    private static int Number(RecordedExchange asked) => int.Parse(asked.Header("x-request-id")!.AsSpan(2), provider: null);

    /// <summary>Of each ten, one fails by script and one by the connection or by script: a fifth.</summary>
    private static (string Name, Func<int, UpstreamScript> Stream, Func<int, UpstreamScript> Replay)? FaultOf(int n) =>
        n % 10 == 3 || (n % 10 == 8 && n % 40 != 8) ? Faults[n / 5 % Faults.Length] : null;

    private static string ModelOf(int n) => n % 80 == 8 ? "refused" : n % 80 == 48 ? "tls" : "m";

    private static Chat Of(int n) => new() { Id = $"chatcmpl-{n}", Model = ModelOf(n) };

    private static string[] WordsOf(int n) => [s_words[0], $"no. {n} ", .. s_words[1..]];

    private static byte[] RequestOf(int n) => Of(n).Request();

    private static UpstreamScript Whole(int n) => UpstreamScript.Json(Of(n).Completion(string.Concat(WordsOf(n))));

    private static UpstreamScript Answer(int n, RecordedExchange asked) =>
        !asked.AsksForStream ? Whole(n)
        : n % 7 == 0 ? UpstreamScript.EventStream().Events(Of(n).Stream(WordsOf(n)), TimeSpan.FromMilliseconds(20)).EndClean()
        : UpstreamScript.Stream(Of(n).Stream(WordsOf(n)));

    private static UpstreamScript Begun(int n, int words) =>
        UpstreamScript.EventStream().Events(Chat.Bytes([Of(n).Role(), .. WordsOf(n).Take(words).Select(w => Of(n).Text(w))]));
}
