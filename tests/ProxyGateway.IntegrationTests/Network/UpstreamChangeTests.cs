using System.Diagnostics;
using System.Net;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>An upstream that is somebody else after a while: another certificate, another address behind its name.</summary>
public sealed class UpstreamChangeTests
{
    private const string Address = "ReverseProxy:Clusters:primary:Destinations:a:Address";

    /// <summary>Trust is the system's, as the configuration has no other; OpenSSL takes its place from the environment.</summary>
    [Fact]
    public async Task CertificateChanges_ValidOnesGoOnInvalidOnesAreTlsFaults()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "SSL_CERT_FILE is OpenSSL's.");
        using var authority = new Authority();
        using var stranger = new Authority();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var primary = ScriptedUpstream.Start();
        // Streams 100 and 101 are held: each keeps its connection, so that the next request makes a new one.
        primary.Choose = asked => NumberedStreams.NumberOf(asked) is var n && n >= 100
            ? Agents.Started(1).WaitFor(release.Task).Body(Chat.Default.Text("on")).Body(Chat.Default.Finish()).Body(Chat.Done).EndClean()
            : NumberedStreams.Answer(asked, 5, default);
        await using var spare = ScriptedUpstream.Start();
        spare.Choose = asked => NumberedStreams.Answer(asked, 5, default);
        await using var middle = TcpMiddle.Start(primary.Address);
        var (first, second) = (authority.Server(IPAddress.Loopback), authority.Server(IPAddress.Loopback));
        middle.Certificate = first;
        await using var gateway = await GatewayProcess.StartAsync(
            s => s.Cluster("primary", primary, ("Timeouts:Idle", "00:01:00"), ("CircuitBreaker:FailureThreshold", "50"), ("Retry:Budget", "1")).Cluster("spare", spare).Fallback("primary", "spare")[Address] = middle.Address.ToString(),
            null,
            ("SSL_CERT_FILE", authority.Path), ("SSL_CERT_DIR", "/nonexistent"));
        var streams = new NumberedStreams([("primary", primary), ("spare", spare)], "spare");
        async Task<HttpResult> Ask(int n) => await streams.SendAsync(gateway.Http1, gateway.Http2, n);
        async Task<Task<HttpResult>> Hold(int n)
        {
            var held = Ask(n);
            await NumberedStreams.BegunAsync(primary, n - 99);
            return held;
        }

        List<Task<HttpResult>> held = [await Hold(100)];
        middle.Certificate = second;
        held.Add(await Hold(101));
        Assert.Equal((2, 0), (primary.RequestCount, spare.RequestCount));
        var (n, faults) = (0, 0L);
        foreach (var invalid in (Func<System.Net.Security.SslServerAuthenticationOptions>[])[authority.Server(IPAddress.Loopback, expired: true), authority.Server(IPAddress.Parse("127.0.0.9")), stranger.Server(IPAddress.Loopback)])
        {
            middle.Certificate = invalid;
            Assert.Equal("whole", (await Ask(n++)).IsDone() ? "whole" : streams.Endings());
            Assert.Equal(n, spare.RequestCount);
            var now = await gateway.MetricAsync("proxygateway_stream_failures_total", "reason");
            Assert.True(now["tls_failed"] > faults, string.Join(", ", now));
            Assert.Equal(["tls_failed"], now.Where(f => f.Value > 0).Select(f => f.Key));
            faults = now["tls_failed"];
        }

        middle.Certificate = first;
        await Ask(n);
        release.SetResult();
        var ended = await Task.WhenAll(held);

        Assert.Equal((3, 3), (primary.RequestCount, spare.RequestCount));
        Assert.All(ended, r => Assert.True(r.IsDone(), streams.Endings()));
        await gateway.AssertIdleAsync();
        Assert.Empty(streams.Judge());
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        Figures.Write("certificate", $"2 valid ones, then expired, of another address, of a stranger, then valid: {streams.Count} streams, {streams.Endings()}; tls_failed {faults}; outcomes {string.Join(", ", outcomes.Where(o => o.Value > 0).Select(o => $"{o.Key} {o.Value}"))}");
        Assert.Equal(streams.Count, outcomes.Values.Sum());
    }

    /// <summary>An old address that dies is left at once; one that goes on is left when its connections are five minutes old.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NameLeadsElsewhere_NewConnectionsGoThere(bool oldAddressDies)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Needs a mount namespace, for a hosts file of its own.");
        Assert.SkipUnless(oldAddressDies || Figures.IsNightly, "Takes six minutes: tests/nightly/run.sh network.");
        var hosts = Path.GetTempFileName();
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = asked => NumberedStreams.Answer(asked, 10, TimeSpan.FromMilliseconds(20));
        await using var before = TcpMiddle.Start(primary.Address);
        await using var after = TcpMiddle.Start(primary.Address, IPAddress.Parse("127.0.0.2"), before.Port);
        await File.WriteAllTextAsync(hosts, "127.0.0.1 agent.test\n", TestContext.Current.CancellationToken);
        await using var gateway = await GatewayProcess.StartAsync(
            s => s.Cluster("primary", primary, ("Retry:Budget", "1"))[Address] = $"http://agent.test:{before.Port}/",
            new GatewayLaunch { Under = $"unshare -m sh -c 'mount --bind {hosts} /etc/hosts && exec \"$@\"' -" });
        var streams = new NumberedStreams([("primary", primary)]);
        await streams.SendAsync(gateway.Http1, gateway.Http2, 0);
        Assert.Equal((1, 0), (before.Accepted, after.Accepted));

        await File.WriteAllTextAsync(hosts, "127.0.0.2 agent.test\n", TestContext.Current.CancellationToken);
        if (oldAddressDies)
        {
            await before.GoDownAsync();
        }

        var since = Stopwatch.StartNew();
        for (var n = 1; after.Accepted == 0; n++)
        {
            Assert.True(since.Elapsed < TimeSpan.FromMinutes(6), "the change was never noticed");
            await streams.SendAsync(gateway.Http1, gateway.Http2, n);
            await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);
        }

        var took = since.Elapsed;
        await gateway.AssertIdleAsync();
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        Figures.Write("dns", $"the name leads elsewhere, the old address {(oldAddressDies ? "is gone" : "goes on")}: noticed after {took.TotalSeconds:0.0} s; {streams.Count} streams, {streams.Endings()}");
        Assert.Empty(streams.Judge());
        Assert.Equal((streams.Count, streams.Count), (outcomes.Values.Sum(), outcomes.GetValueOrDefault("completed") + outcomes.GetValueOrDefault("recovered")));
        File.Delete(hosts);
    }
}
