using System.Diagnostics;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>HTTP/2 streams opened and reset as fast as they can be written (CVE-2023-44487).</summary>
public sealed class RapidResetTests
{
    [Theory]
    [InlineData("GET", "/any", true)]
    [InlineData("POST", "/v1/chat/completions", false)]
    [InlineData("POST", "/v1/chat/completions", true)]
    public async Task StreamsOpenedAndReset_HinderNobodyAndLeaveNothing(string method, string path, bool endStream)
    {
        var count = Figures.Size(1000, 10_000);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => asked.Method == "GET" ? UpstreamScript.Json("{}"u8.ToArray()) : Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s =>
        {
            s.Cluster("primary", upstream);
            s["ReverseProxy:Routes:all:ClusterId"] = "primary";
            s["ReverseProxy:Routes:all:Match:Path"] = "/{**rest}";
        });
        for (var i = 0; i < 100; i++)
        {
            await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(10));
        }

        var (idle, since, connections, opened) = (gateway.Resident, Stopwatch.StartNew(), 0, 0);
        await using (var probe = new Probe(gateway.Http1, TimeSpan.FromMilliseconds(5)))
        {
            while (opened < count && since.Elapsed < TimeSpan.FromSeconds(60))
            {
                using var attacker = new RawHttp2();
                await attacker.ConnectAsync(gateway.Http2);
                connections++;
                while (opened < count && await attacker.OpenAndResetAsync(method, path, endStream))
                {
                    opened++;
                }
            }

            await probe.StopAsync();
            await gateway.AssertIdleAsync();
            await GatewayFixture.EventuallyAsync(() => upstream.Exchanges.All(e => e.Ended.IsCompleted), "upstream calls are left running");
            Figures.Write("rapid reset", $"{method} {path}{(endStream ? "" : " without a body")}: {opened} streams opened and reset over {connections} connections in {since.Elapsed.TotalSeconds:0.0} s; "
                + $"{upstream.RequestCount - probe.Count - 100} reached the upstream; memory + {(gateway.Resident - idle) >> 20} MB; others: {probe.Count} streams, {probe.Failures.Count} failed, p99 {probe.Percentile(99):0.0} ms");

            Assert.Equal(count, opened);
            Assert.Empty(probe.Failures);
        }

        Assert.True(gateway.Resident - idle < 128L << 20, $"{(gateway.Resident - idle) >> 20} MB");
        Assert.Equal(200, (await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(5))).Status);
    }
}
