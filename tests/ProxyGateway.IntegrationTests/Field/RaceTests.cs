using System.Globalization;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Field;

/// <summary>
/// Two things at the same moment, many times: a clock and content, a heartbeat and an answer, a client that leaves and a
/// recovery. Which comes first is not for the test to say; the contract must hold either way.
/// </summary>
public sealed class RaceTests
{
    private const int Exchanges = 120;

    [Theory]
    [InlineData(Wire.Http1, "Stream")]
    [InlineData(Wire.Http2, "Stream")]
    [InlineData(Wire.Http1, "Json")]
    public async Task HeartbeatWhenTheAnswerComes_EachStreamKeepsTheContract(Wire wire, string responseFormat)
    {
        // CommitAfter is 100 ms: the first attempt ends around then, well or badly, and so does its replay.
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked =>
        {
            var i = Number(asked);
            var pause = TimeSpan.FromMilliseconds(85 + (i % 30));
            return (i % 4, asked.AsksForStream) switch
            {
                (0, true) => UpstreamScript.EventStream().Delay(pause).Events(Agents.WholeStream).EndClean(),
                (1, true) => UpstreamScript.EventStream().Body(Chat.Default.Role()).Delay(pause).CloseWithoutTerminator(),
                (_, true) => Agents.Error(503),
                (2, false) => new UpstreamScript().Delay(pause).Head(500, "application/json").Body(Chat.ErrorBody()).EndClean(),
                _ => new UpstreamScript().Delay(pause / 2).Head(200, "application/json").Body(Agents.WholeAnswer).EndClean(),
            };
        };
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("CommitAfter", "00:00:00.1"), ("HeartbeatInterval", "00:00:00.05"))
            .Chat("primary", ("ResponseFormat", responseFormat))
            .Cluster("primary", upstream, ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "1")));

        await RunAsync(gateway, wire, change: null, t => t with { JsonAllowed = responseFormat == "Json" });
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ClockWhenContentComes_EachStreamKeepsTheContract(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => asked.AsksForStream
            ? UpstreamScript.EventStream().Events(Agents.WholeStream, TimeSpan.FromMilliseconds(85 + (Number(asked) % 30))).EndClean()
            : UpstreamScript.Json(Agents.WholeAnswer);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster(
            "primary", upstream, ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "1"), ("Timeouts:FirstContent", "00:00:00.1"), ("Timeouts:Idle", "00:00:00.1")));

        // An upstream may write its last words into a connection that its gateway has just left, and then believes it was heard out.
        await RunAsync(gateway, wire, change: null, t => t.Attempts.Count == 1
            ? t
            : t with { Attempts = [t.Attempts[0] with { Ending = AttemptEnding.CancelledByGateway }, .. t.Attempts.Skip(1)] });
    }

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task ClientLeavesWhenTheUpstreamDies_NothingIsLeftBehind(Wire wire)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => asked.AsksForStream
            ? Agents.Started(1 + (Number(asked) % 5)).CloseWithoutTerminator()
            : new UpstreamScript().Delay(TimeSpan.FromMilliseconds(Number(asked) % 40)).Head(200, "application/json").Body(Agents.WholeAnswer).EndClean();
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Global(("HeartbeatInterval", "00:00:00.05")).Cluster("primary", upstream, ("CircuitBreaker:Enabled", "false"), ("Retry:Budget", "1")));

        await RunAsync(gateway, wire, (i, call) => call with { LeaveWhen = body => body.Length > i * 17 });
        Assert.DoesNotContain(gateway.Log.All, l => l.StartsWith("Error", StringComparison.Ordinal) || l.StartsWith("Critical", StringComparison.Ordinal));
    }

    private static async Task RunAsync(GatewayFixture gateway, Wire wire, Func<int, HttpCall, HttpCall>? change, Func<Transcript, Transcript>? judge = null)
    {
        using var gate = new SemaphoreSlim(24);
        var results = await Task.WhenAll(Enumerable.Range(0, Exchanges).Select(async i =>
        {
            await gate.WaitAsync(TestContext.Current.CancellationToken);
            try
            {
                return await gateway.SendAsync(wire, Request(i), call => change?.Invoke(i, call) ?? call);
            }
            finally
            {
                gate.Release();
            }
        }));

        await gateway.AssertIdleAsync();
        var calls = gateway.Calls.ToLookup(c => Number(c.Exchange));
        for (var i = 0; i < Exchanges; i++)
        {
            gateway.AssertContract(results[i], Request(i), calls[i], judge);
        }

        Assert.Equal(Exchanges, gateway.Meter.Count("proxygateway.request.duration"));
        if (change is null)
        {
            Assert.Equal(gateway.Calls.Count, gateway.Meter.Count("proxygateway.upstream.attempts"));
        }
        else
        {
            // A call that its client's leave cancels on its way may not have reached the upstream; one that begins after it must not count.
            Assert.InRange(gateway.Calls.Count, Exchanges, gateway.Meter.Count("proxygateway.upstream.attempts"));
        }
    }

    private static byte[] Request(int i) => Chat.Default.Request(prompt: $"#{i}#");

    private static int Number(RecordedExchange asked) => int.Parse(Encoding.UTF8.GetString(asked.Body).Split('#')[1], CultureInfo.InvariantCulture);
}
