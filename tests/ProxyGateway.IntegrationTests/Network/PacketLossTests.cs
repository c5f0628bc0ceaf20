using System.Diagnostics;
using System.Net;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>
/// Clients and upstreams on one host, the gateway on another, and packets lost between them for real: retransmissions, timeouts and
/// windows are the kernel's. Runs in a network of its own: tests/nightly/run.sh packets.
/// </summary>
public sealed class PacketLossTests
{
    private const string Address = "ReverseProxy:Clusters:primary:Destinations:a:Address";

    [Theory]
    [InlineData(0.01, 50, 10)]
    [InlineData(0.03, 100, 50)]
    [InlineData(0.05, 200, 50)]
    public async Task LossAndLatency_EveryStreamKeepsTheContract(double loss, int latency, int jitter)
    {
        Assert.SkipUnless(PacketLink.IsPossible, "Needs a network of its own: tests/nightly/run.sh packets.");
        using var link = PacketLink.Create();
        var count = 300;
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = asked => NumberedStreams.Answer(asked, 30, TimeSpan.FromMilliseconds(30));
        await using var spare = ScriptedUpstream.Start();
        spare.Choose = asked => NumberedStreams.Answer(asked, 30, default);
        // The upstreams listen on loopback; these stand on the wire.
        await using var primaryHere = TcpMiddle.Start(primary.Address, IPAddress.Parse(PacketLink.Here));
        await using var spareHere = TcpMiddle.Start(spare.Address, IPAddress.Parse(PacketLink.Here));
        await using var gateway = await StartAsync(link, primaryHere, spareHere);
        (link.Loss, link.Latency, link.Jitter) = (loss, TimeSpan.FromMilliseconds(latency), TimeSpan.FromMilliseconds(jitter));
        var streams = new NumberedStreams([("primary", primary), ("spare", spare)], "spare");

        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 30, CancellationToken = TestContext.Current.CancellationToken }, async (n, _) => await streams.SendAsync(gateway.Http1, gateway.Http2, n));

        var (carried, lost) = (link.Carried, link.Lost);
        (link.Loss, link.Latency, link.Jitter) = (0, default, default);
        await gateway.AssertIdleAsync();
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        var violations = streams.Judge();
        Figures.Write("packets", $"loss {loss:P0}, latency {latency} ms + up to {jitter} ms each way, both links: {lost} of {carried} packets lost; {count} streams: {streams.Endings()}; outcomes {string.Join(", ", outcomes.Where(o => o.Value > 0).Select(o => $"{o.Key} {o.Value}"))}; violations {violations.Count}");
        Assert.True(violations.Count == 0, string.Join('\n', violations.Take(10)));
        Assert.Equal(count, outcomes.Values.Sum());
        Assert.Equal(count, outcomes.GetValueOrDefault("completed") + outcomes.GetValueOrDefault("recovered"));
    }

    /// <summary>All packets are swallowed for longer than the idle clock, on the way to the clients too.</summary>
    [Fact]
    public async Task WireSwallowsEverythingForAWhile_NobodyIsEndedSilently()
    {
        Assert.SkipUnless(PacketLink.IsPossible, "Needs a network of its own: tests/nightly/run.sh packets.");
        using var link = PacketLink.Create();
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = asked => NumberedStreams.Answer(asked, 60, TimeSpan.FromMilliseconds(50));
        await using var spare = ScriptedUpstream.Start();
        spare.Choose = asked => NumberedStreams.Answer(asked, 60, default);
        await using var primaryHere = TcpMiddle.Start(primary.Address, IPAddress.Parse(PacketLink.Here));
        await using var spareHere = TcpMiddle.Start(spare.Address, IPAddress.Parse(PacketLink.Here));
        await using var gateway = await StartAsync(link, primaryHere, spareHere);
        var streams = new NumberedStreams([("primary", primary), ("spare", spare)], "spare") { LinkSwallows = true };
        var all = Task.WhenAll(Enumerable.Range(0, 50).Select(n => streams.SendAsync(gateway.Http1, gateway.Http2, n, TimeSpan.FromSeconds(120))));
        await NumberedStreams.BegunAsync(primary, 50);

        // The clients must have content, so that it is the idle clock that runs.
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        link.Loss = 1;
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        link.Loss = 0;
        var healed = Stopwatch.StartNew();
        await all;

        await gateway.AssertIdleAsync();
        var outcomes = await gateway.MetricAsync("proxygateway_request_duration_seconds_count", "outcome");
        var violations = streams.Judge();
        var silence = streams.Results.Values.Max(r => r.Arrivals.Zip(r.Arrivals.Skip(1)).Select(a => a.Second.At - a.First.At).DefaultIfEmpty().Max());
        Figures.Write("packets", $"everything lost for 5 s under 50 streams, idle clock 3 s: all ended {healed.Elapsed.TotalSeconds:0.0} s later, the longest silence for a client {silence.TotalSeconds:0.0} s: {streams.Endings()}; outcomes {string.Join(", ", outcomes.Where(o => o.Value > 0).Select(o => $"{o.Key} {o.Value}"))}; violations {violations.Count}");
        Assert.True(violations.Count == 0, string.Join('\n', violations.Take(10)));
        Assert.Equal((50, 50), (outcomes.Values.Sum(), outcomes.GetValueOrDefault("recovered")));
    }

    private static Task<GatewayProcess> StartAsync(PacketLink link, TcpMiddle primary, TcpMiddle spare) => GatewayProcess.StartAsync(
        s =>
        {
            (string, string)[] clocks = [("Timeouts:Connect", "00:00:10"), ("Timeouts:ResponseHeaders", "00:00:10"), ("Timeouts:FirstContent", "00:00:10"), ("Timeouts:Replay", "00:00:20"), ("Retry:Budget", "1")];
            s.Cluster("primary", primary.Address, clocks).Cluster("spare", spare.Address, clocks).Fallback("primary", "spare").Global(("RecoveryTimeout", "00:01:00"));
            s["Gateway:ManagementKey"] = "key";
        },
        new GatewayLaunch { Under = link.OnTheOtherHost, Address = PacketLink.There });
}
