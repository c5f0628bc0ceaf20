using System.Globalization;
using System.Text.Json;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.IntegrationTests.Network;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Endurance;

/// <summary>
/// A gateway whose wall clock is set while it works. libfaketime changes what the process reads of it; the monotonic clock and the
/// machine's own time are left alone.
/// </summary>
public sealed class ClockTests
{
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(6);

    /// <summary>Where the clocks of Berlin are put on and back by an hour, in UTC.</summary>
    private static readonly DateTimeOffset Spring = new(2027, 3, 28, 1, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Autumn = new(2027, 10, 31, 1, 0, 0, TimeSpan.Zero);

    private static readonly string? Library = Directory.Exists("/usr/lib")
        ? Directory.GetDirectories("/usr/lib", "*-linux-gnu").Select(d => Path.Combine(d, "faketime", "libfaketime.so.1")).FirstOrDefault(File.Exists)
        : null;

    [Fact]
    public async Task WallClockJumpsAndSummerTime_NoTimerAndNoCircuitNotices()
    {
        Assert.SkipWhen(Library is null, "Needs libfaketime (Debian package faketime).");
        var offset = Path.GetTempFileName();
        await File.WriteAllTextAsync(offset, "+0", TestContext.Current.CancellationToken);
        await using var primary = ScriptedUpstream.Start();
        await using var spare = ScriptedUpstream.Start();
        using var refusing = new RefusingEndpoint();
        // Stream 0 falls silent; the others have a word each fifth of a second.
        primary.Choose = asked => NumberedStreams.NumberOf(asked) == 0
            ? UpstreamScript.EventStream().Stall()
            : NumberedStreams.Answer(asked, 20, TimeSpan.FromMilliseconds(200));
        spare.Choose = asked => NumberedStreams.Answer(asked, 20, default);
        await using var gateway = await GatewayProcess.StartAsync(
            s => s.Chat("primary", ("Models:broken", "broken")).Cluster("primary", primary, ("Timeouts:ResponseHeaders", "00:00:03"), ("Timeouts:FirstContent", "00:00:03"), ("Timeouts:Idle", "00:00:03")).Cluster("spare", spare).Fallback("primary", "spare")
                .Cluster("broken", refusing.Address, ("CircuitBreaker:FailureThreshold", "1"), ("CircuitBreaker:BreakDuration", $"{Break:c}"), ("CircuitBreaker:BreakJitter", "0")),
            new GatewayLaunch
            {
                Environment =
                [
                    ("LD_PRELOAD", Library!), ("FAKETIME_TIMESTAMP_FILE", offset), ("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1"), ("TZ", "Europe/Berlin"),
                ],
            });
        var streams = new NumberedStreams([("primary", primary), ("spare", spare)], "spare");
        var all = Task.WhenAll(Enumerable.Range(0, 20).Select(n => streams.SendAsync(gateway.Http1, gateway.Http2, n)));
        var opened = System.Diagnostics.Stopwatch.StartNew();
        Assert.NotEqual("circuit_open", (await AskBrokenAsync(gateway)).ErrorCode());
        var seen = new List<string>();

        var now = DateTimeOffset.UtcNow;
        foreach (var to in (DateTimeOffset[])[now.AddHours(1), now.AddHours(-1), Spring.AddSeconds(-0.5), Autumn.AddSeconds(-0.5), now])
        {
            await File.WriteAllTextAsync(offset, string.Create(CultureInfo.InvariantCulture, $"{(to - DateTimeOffset.UtcNow).TotalSeconds:+0;-0}"), TestContext.Current.CancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(700), TestContext.Current.CancellationToken);
            var wall = await WallClockAsync(gateway);
            Assert.True((wall - to).Duration() < TimeSpan.FromMinutes(1), $"the clock was not set: {wall}, not {to}");
            var refused = await AskBrokenAsync(gateway);
            // Open until its time is over, and not a moment less for an hour that was not.
            if (opened.Elapsed < Break)
            {
                Assert.Equal((503, "circuit_open"), (refused.Status, refused.ErrorCode()));
                Assert.InRange(int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture), 1, (int)Break.TotalSeconds);
                seen.Add($"{wall:yyyy-MM-dd HH:mm}");
            }
        }

        await all;
        while ((await AskBrokenAsync(gateway)).ErrorCode() == "circuit_open")
        {
            Assert.True(opened.Elapsed < Break * 2, "the circuit stays open");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        }

        var broken = opened.Elapsed;
        await gateway.AssertIdleAsync();
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        var faults = await gateway.MetricAsync("proxygateway_stream_failures_total", "reason");
        Figures.Write("clock", $"wall clock set to {string.Join(", ", seen)} (UTC, TZ Europe/Berlin) under 20 streams of 4 s, a circuit open for {Break.TotalSeconds} s and a first-content clock of 3 s: {streams.Endings()}; the clock ran out after {streams.Results[0].EndedAt.TotalSeconds:0.0} s, the circuit let somebody in after {broken.TotalSeconds:0.0} s; outcomes {string.Join(", ", outcomes.Where(o => o.Value > 0).Select(o => $"{o.Key} {o.Value}"))}");
        Assert.Empty(streams.Judge());
        Assert.All(streams.Results, r => Assert.True(r.Value.IsDone(), streams.Endings()));
        Assert.True(broken > Break, $"{broken}");
        Assert.True(streams.Results[0].EndedAt > TimeSpan.FromSeconds(2.9), $"{streams.Results[0].EndedAt}");
        Assert.Equal((19, 1), (outcomes["completed"], outcomes["recovered"]));
        Assert.Equal(1, faults["first_content_timeout"]);
        Assert.Equal(["connect_failed", "first_content_timeout"], faults.Where(f => f.Value > 0).Select(f => f.Key).Order());
        File.Delete(offset);
    }

    private static Task<HttpResult> AskBrokenAsync(GatewayProcess gateway) => RawHttpClient.SendAsync(
        new HttpCall { Address = gateway.Http1, Body = new Chat { Model = "broken" }.Request() }, TestContext.Current.CancellationToken);

    private static async Task<DateTimeOffset> WallClockAsync(GatewayProcess gateway)
    {
        using var client = new HttpClient();
        return JsonElement.Parse(await client.GetStringAsync(new Uri(gateway.Management, "/api/status"), TestContext.Current.CancellationToken)).GetProperty("time").GetDateTimeOffset();
    }
}
