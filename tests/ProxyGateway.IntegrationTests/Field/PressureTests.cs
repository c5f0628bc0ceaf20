using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>Slow clients, and clusters with more than one destination.</summary>
public sealed class PressureTests
{
    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ClientDoesNotRead_UpstreamIsNotReadEitherAndNotBlamed(Wire wire)
    {
        // Far more than what all socket buffers on the way can hold.
        var word = Chat.Default.Text(new string('w', 256 * 1024));
        const int Times = 256;
        var script = UpstreamScript.EventStream().Body(Chat.Default.Role());
        for (var i = 0; i < Times; i++)
        {
            script = script.Body(word);
        }

        await using var upstream = ScriptedUpstream.Start(script.Body(Chat.Default.Finish()).Body(Chat.Done).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream, ("Timeouts:Idle", "00:00:01")));
        long? sentWhilePaused = null;

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with
        {
            Timeout = TimeSpan.FromMinutes(1),
            BeforeRead = async () =>
            {
                if (sentWhilePaused is null)
                {
                    await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
                    sentWhilePaused = upstream.Exchanges[0].Sent.LongLength;
                }
            },
        });

        Assert.Equal(ClientEnding.Clean, result.Ending);
        Assert.True(result.Body.LongLength > (long)Times * 256 * 1024, $"{result.Body.LongLength} bytes arrived");
        Assert.True(sentWhilePaused < result.Body.LongLength * 3 / 4, $"{sentWhilePaused} of {result.Body.LongLength} bytes were read from the upstream while the client did not read");
        Assert.Equal(1, upstream.RequestCount);
        await gateway.AssertIdleAsync();
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ClusterWithTwoDestinations_ReplayGoesToTheOtherOne(Wire wire)
    {
        await using var one = ScriptedUpstream.Start();
        await using var two = ScriptedUpstream.Start();
        one.Choose = two.Choose = asked => asked.AsksForStream ? Agents.Started(2).ThenReset() : UpstreamScript.Json(Agents.WholeAnswer);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", one, ("Destinations:b:Address", two.Address.ToString())));

        for (var i = 1; i <= 4; i++)
        {
            Assert.Equal(Agents.WholeText, (await gateway.StreamAsync(wire)).Text());
            Assert.Equal((i, i), (one.RequestCount, two.RequestCount));
        }
    }
}
