using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Scenarios;

public sealed class NoBufferingBetweenChunks
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(50);

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task EachChunk_ReachesTheClientBeforeTheNextOneIsSent(Wire wire)
    {
        // No clock is involved: the upstream says the next word only when the client has had the last one.
        var had = Enumerable.Range(0, Agents.Words.Length).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray();
        var script = UpstreamScript.EventStream().Body(Chat.Default.Role());
        for (var i = 0; i < had.Length; i++)
        {
            script = script.Body(Chat.Default.Text(Agents.Words[i])).WaitFor(had[i].Task);
        }

        await using var upstream = ScriptedUpstream.Start(script.Body(Chat.Default.Finish()).Body(Chat.Done).EndClean());
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), call => call with
        {
            LeaveWhen = body =>
            {
                var got = System.Text.Encoding.UTF8.GetString(body);
                for (var i = 0; i < had.Length && got.Contains(Chat.Default.Text(Agents.Words[i]), StringComparison.Ordinal); i++)
                {
                    had[i].TrySetResult();
                }

                return false;
            },
        });

        Assert.Equal((ClientEnding.Clean, Agents.WholeStream.Length), (result.Ending, result.Body.Length));
        await gateway.AssertContractAsync(result);
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ChunksFiftyMillisecondsApart_ArriveFiftyMillisecondsApart(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.EventStream().Events(Agents.WholeStream, Gap).EndClean();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));

        // A machine with other work may hold a chunk up; a gateway that buffers does so every time.
        HttpResult result;
        var tries = 0;
        do
        {
            result = await gateway.StreamAsync(wire);
            Assert.Equal(Agents.WholeStream, result.Body);
        }
        while (!Gaps(result).All(g => g > Gap / 2 && g < Gap * 3) && ++tries < 5);

        // The role chunk is held back until the first content, so it arrives with it; everything behind the terminal may come at once.
        Assert.All(Gaps(result), g => Assert.InRange(g, Gap / 2, Gap * 3));
        Assert.Equal(Agents.Words.Length, Gaps(result).Count());
    }

    /// <summary>Between every two contents, and before the finish event.</summary>
    private static IEnumerable<TimeSpan> Gaps(HttpResult result)
    {
        var arrivals = result.Arrivals.Take(Agents.Words.Length + 1).ToList();
        return arrivals.Zip(arrivals.Skip(1), (a, b) => b.At - a.At);
    }
}
