using System.Collections.Concurrent;
using System.Diagnostics;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>Many streams that each say something of their own, and their judgement. The number travels in <c>x-request-id</c>.</summary>
internal sealed class NumberedStreams((string Cluster, UpstreamBase Upstream)[] upstreams, params string[] fallbacks)
{
    private readonly ConcurrentDictionary<int, HttpResult> _results = new();

    public int Count => _results.Count;

    /// <summary>The link swallows what upstreams believe to have sent; so an attempt after which another was made was broken, whatever its upstream saw.</summary>
    public bool LinkSwallows { get; init; }

    public IReadOnlyDictionary<int, HttpResult> Results => _results;

    public static int NumberOf(RecordedExchange asked) => int.Parse(asked.Header("x-request-id")!.AsSpan(2), provider: null);

    /// <summary>Waits until so many streams have begun: this many bytes of each were sent.</summary>
    public static async Task BegunAsync(UpstreamBase upstream, int count, int bytes = 1)
    {
        var since = Stopwatch.StartNew();
        while (upstream.Exchanges.Count(e => e.SentLength >= bytes) < count)
        {
            Assert.True(since.Elapsed < TimeSpan.FromMinutes(1), $"{upstream.Exchanges.Count(e => e.SentLength >= bytes)} of {count} streams began; {upstream.RequestCount} requests came over {upstream.ConnectionsOpened} connections");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A whole answer to exchange n, in so many pieces with a pause after each.</summary>
    public static UpstreamScript Answer(RecordedExchange asked, int pieces, TimeSpan pause)
    {
        var chat = Of(NumberOf(asked));
        string[] words = [.. Enumerable.Range(0, pieces).Select(i => $"{NumberOf(asked)}.{i} ")];
        return asked.AsksForStream ? UpstreamScript.EventStream().Events(chat.Stream(words), pause).EndClean() : UpstreamScript.Json(chat.Completion(string.Concat(words)));
    }

    public async Task<HttpResult> SendAsync(Uri http1, Uri http2, int n, TimeSpan? timeout = null)
    {
        var call = new HttpCall
        {
            Address = n % 2 == 0 ? http1 : http2,
            Body = Of(n).Request(),
            Headers = [new("Content-Type", "application/json"), new("x-request-id", $"n-{n}")],
            Timeout = timeout ?? TimeSpan.FromSeconds(90),
        };
        var cancel = TestContext.Current.CancellationToken;
        return _results[n] = n % 2 == 0 ? await RawHttpClient.SendAsync(call, cancel) : await Http2Client.SendAsync(call, cancel);
    }

    /// <summary>What breaks the contract. Nobody is to have been ended silently, and nobody is to have been asked for nothing.</summary>
    public List<string> Judge(bool shutdown = false)
    {
        var attempts = upstreams.SelectMany(u => u.Upstream.Exchanges.Select(e => (u.Cluster, Exchange: e))).OrderBy(x => x.Exchange.At).ToLookup(x => NumberOf(x.Exchange));
        return [.. _results.OrderBy(r => r.Key).SelectMany(r => StreamContract.Check(new Transcript
        {
            RequestBody = Of(r.Key).Request(),
            Attempts = [.. attempts[r.Key].Select((a, i) => a.Exchange.ToAttempt(a.Cluster, fallbacks.Contains(a.Cluster)) is var attempt && LinkSwallows && i < attempts[r.Key].Count() - 1
                ? attempt with { Ending = AttemptEnding.Broken, MayHaveLostBytes = true }
                : attempt)],
            Client = r.Value.ToClientRecord(),
            // An upstream that cannot be connected to records nothing.
            GatewayGaveUp = shutdown || !attempts[r.Key].Any(),
        }).Select(v => $"{r.Key}: {v}; client {r.Value.Status}, {r.Value.Ending}, {r.Value.Body.Length} bytes; {string.Join(", ", attempts[r.Key].Select(a => $"{a.Cluster} {a.Exchange.Status} {(a.Exchange.Ended.IsCompleted ? a.Exchange.Ended.Result : null)}"))}"))];
    }

    /// <summary>How many got a whole answer, an error event, an HTTP error, or nothing.</summary>
    public string Endings() => string.Join(", ", _results.Values.GroupBy(r => r switch
    {
        { Status: 200, Ending: ClientEnding.Clean } when r.IsDone() => "whole",
        { Status: 200 } when r.ErrorCode() is { } code => $"error event {code}",
        { Status: > 299 } => $"HTTP {r.Status}",
        _ => $"{r.Status} {r.Ending}",
    }).OrderByDescending(g => g.Count()).Select(g => $"{g.Key} {g.Count()}"));

    private static Chat Of(int n) => new() { Id = $"chatcmpl-{n}" };
}
