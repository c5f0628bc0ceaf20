using System.Diagnostics;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>Processes that are told to stop, and processes that are not asked.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task Sigterm_ShortStreamsAreWholeOthersAreEndedLoudlyAndTheProcessEndsInTime()
    {
        var (count, shortest, longest, grace) = Figures.IsNightly ? (200, 5.0, 60.0, 30) : (20, 0.5, 6.0, 3);
        var pause = TimeSpan.FromMilliseconds(Figures.Size(100, 250));
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => NumberedStreams.Answer(asked, (int)(Length(NumberedStreams.NumberOf(asked)) / pause.TotalSeconds), pause);
        await using var gateway = await GatewayProcess.StartAsync(s =>
        {
            s.Cluster("primary", upstream);
            s["Gateway:Drain:Delay"] = "00:00:00.2";
            s["Gateway:Drain:Timeout"] = $"00:00:{grace:00}";
        });
        var streams = new NumberedStreams([("primary", upstream)]);
        var all = Task.WhenAll(Enumerable.Range(0, count).Select(n => streams.SendAsync(gateway.Http1, gateway.Http2, n)));
        await NumberedStreams.BegunAsync(upstream, count);

        var since = Stopwatch.StartNew();
        gateway.Signal("TERM");
        while (!gateway.HasExited && await gateway.IsReadyAsync())
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(grace), "it still says it is ready");
        }

        var code = await gateway.ExitAsync(TimeSpan.FromSeconds(grace + 30));
        var took = since.Elapsed;
        await all;

        var whole = streams.Results.Where(r => r.Value.IsDone() && r.Value.Ending == ClientEnding.Clean).ToList();
        var loud = streams.Results.Where(r => r.Value.ErrorCode() == "shutting_down" && r.Value.Ending != ClientEnding.Clean).ToList();
        Figures.Write("sigterm", $"{count} streams of {shortest} to {longest} s, grace {grace} s: {whole.Count} whole, the longest {whole.Max(w => Length(w.Key)):0.0} s, {loud.Count} with the error event, the shortest {loud.Min(l => Length(l.Key)):0.0} s; exit code {code} after {took.TotalSeconds:0.0} s; violations {streams.Judge(shutdown: true).Count}");
        Assert.Equal(0, code);
        // Delay, grace, and what the endings may take.
        Assert.True(took < TimeSpan.FromSeconds(grace + 5.2 + 2), $"{took}");
        Assert.Equal(count, whole.Count + loud.Count);
        Assert.Empty(streams.Judge(shutdown: true));
        // Nobody is cut short, nobody is kept on.
        Assert.All(loud, l => Assert.InRange(Length(l.Key), grace - 1.5, longest));
        Assert.NotEmpty(whole);
        Assert.NotEmpty(loud);

        double Length(int n) => shortest + ((longest - shortest) * n / (count - 1));
    }

    [Fact]
    public async Task GatewayIsKilled_ClientsNoticeAndANewOneStartsClean()
    {
        var count = Figures.Size(20, 200);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => NumberedStreams.NumberOf(asked) < count ? NumberedStreams.Answer(asked, 200, TimeSpan.FromMilliseconds(150)) : NumberedStreams.Answer(asked, 3, default);
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", upstream));
        var streams = new NumberedStreams([("primary", upstream)]);
        var all = Task.WhenAll(Enumerable.Range(0, count).Select(n => streams.SendAsync(gateway.Http1, gateway.Http2, n)));
        await NumberedStreams.BegunAsync(upstream, count, 500);

        var killed = Stopwatch.StartNew();
        gateway.Signal("KILL");
        await all.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        var noticed = killed.Elapsed;
        Assert.Equal(137, await gateway.ExitAsync(TimeSpan.FromSeconds(5)));
        var started = Stopwatch.StartNew();
        await using var next = await gateway.StartAgainAsync();
        var ready = started.Elapsed;
        var afterwards = await streams.SendAsync(next.Http1, next.Http2, count);

        Figures.Write("sigkill", $"gateway killed under {count} streams: {streams.Endings()}, all noticed within {noticed.TotalSeconds:0.00} s; the next one, on the same ports, was ready after {ready.TotalSeconds:0.0} s");
        Assert.All(streams.Results.Where(r => r.Key < count), r => Assert.NotEqual(ClientEnding.Clean, r.Value.Ending));
        Assert.All(streams.Results.Where(r => r.Key < count), r => Assert.NotEqual(ClientEnding.TimedOut, r.Value.Ending));
        Assert.DoesNotContain(streams.Results.Where(r => r.Key < count), r => r.Value.IsDone());
        Assert.Equal((next.Http1, true), (gateway.Http1, afterwards.IsDone()));
        await next.AssertIdleAsync();
        Assert.Equal(1, (await next.MetricAsync("proxygateway_request_duration_seconds_count", "outcome")).Values.Sum());
        // Its upstream is rid of them too.
        await Task.WhenAll(upstream.Exchanges.Take(count).Select(e => e.Ended)).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task UpstreamIsKilledInMidStream_AllRecovered()
    {
        var count = Figures.Size(20, 200);
        using var first = await AgentProcess.StartAsync(100, TimeSpan.FromMilliseconds(20));
        using var second = await AgentProcess.StartAsync(100, TimeSpan.FromMilliseconds(20));
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", first.Address, ("Retry:Budget", "1")).Cluster("spare", second.Address).Fallback("primary", "spare"));
        var (stream, replay) = (await first.SayAsync(stream: true), await second.SayAsync(stream: false));
        var pieces = 0;
        var all = Task.WhenAll(Enumerable.Range(0, count).Select(n => RawHttpClient.SendAsync(
            new HttpCall
            {
                Address = gateway.Http1,
                Body = Chat.Default.Request(),
                Timeout = TimeSpan.FromSeconds(60),
                LeaveWhen = _ =>
                {
                    Interlocked.Increment(ref pieces);
                    return false;
                },
            },
            TestContext.Current.CancellationToken)));
        await GatewayFixture.EventuallyAsync(() => Volatile.Read(ref pieces) > count * 10, "the streams did not begin");

        first.Kill();
        var results = await all;

        await gateway.AssertIdleAsync();
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        Figures.Write("sigkill", $"upstream killed under {count} streams: outcomes {string.Join(", ", outcomes.Where(o => o.Value > 0).Select(o => $"{o.Key} {o.Value}"))}");
        Assert.All(results, r => Assert.True(r.IsDone(), r.Text));
        Assert.Equal((count, count), (outcomes.Values.Sum(), outcomes.GetValueOrDefault("recovered")));
        Assert.All(results, r => Assert.Empty(StreamContract.Check(new Transcript
        {
            RequestBody = Chat.Default.Request(),
            Attempts =
            [
                // The streams were all alike, so it is known what the dead one was about to say.
                new AttemptRecord { Kind = AttemptKind.Streaming, ContentType = "text/event-stream", Body = stream[..(stream.Length * 9 / 10)], Ending = AttemptEnding.Broken, MayHaveLostBytes = true },
                new AttemptRecord { Cluster = "spare", IsFallback = true, Kind = AttemptKind.NonStreaming, ContentType = "application/json", Body = replay },
            ],
            Client = r.ToClientRecord(),
        })));
    }
}
