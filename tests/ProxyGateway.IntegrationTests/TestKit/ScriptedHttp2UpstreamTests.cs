using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.TestKit;

public sealed class ScriptedHttp2UpstreamTests
{
    private static readonly byte[] Hello = Chat.Default.Stream("Hel", "lo");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WholeBody_EndsClean()
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(UpstreamScript.Stream(Hello));
        var result = await Http2Client.SendAsync(Call(upstream), Cancel);
        Assert.Equal((200, ClientEnding.Clean, "text/event-stream"), (result.Status, result.Ending, result.Header("content-type")));
        Assert.Equal(Hello, result.Body);
        var exchange = Assert.Single(upstream.Exchanges);
        Assert.Equal(AttemptEnding.Clean, await exchange.Ended.WaitAsync(Cancel));
        Assert.Equal(("POST", "/v1/chat/completions?a=b"), (exchange.Method, exchange.Target));
        Assert.Equal(Chat.Default.Request(), exchange.Body);
        Assert.Equal((1, 1), (exchange.Connection, upstream.ConnectionsOpened));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public async Task Reset_ArrivesWithItsCode(int code)
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(UpstreamScript.Cut(Hello, 50).Delay(TimeSpan.FromMilliseconds(100)).Reset(code));
        var result = await Http2Client.SendAsync(Call(upstream), Cancel);
        Assert.Equal((200, ClientEnding.Http2Reset, (long?)code), (result.Status, result.Ending, result.ResetCode));
        Assert.Equal(Hello[..50], result.Body);
    }

    [Fact]
    public async Task AbortedConnection_EndsTheStreamUncleanly()
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(UpstreamScript.Cut(Hello, 50).Delay(TimeSpan.FromMilliseconds(100)).CloseWithoutTerminator());
        var result = await Http2Client.SendAsync(Call(upstream), Cancel);
        Assert.Contains(result.Ending, (ClientEnding[])[ClientEnding.WithoutTerminator, ClientEnding.Http2Reset]);
        Assert.Equal(Hello[..50], result.Body);
    }

    [Fact]
    public async Task NeverAnswer_TimesOutAndSeesThePeerLeave()
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(UpstreamScript.NeverAnswer);
        var result = await Http2Client.SendAsync(Call(upstream) with { Timeout = TimeSpan.FromMilliseconds(500) }, Cancel);
        Assert.Equal((null, ClientEnding.TimedOut), (result.Status, result.Ending));
        Assert.Equal(AttemptEnding.Stalled, await upstream.Exchanges[0].Ended.WaitAsync(TimeSpan.FromSeconds(5), Cancel));
    }

    [Fact]
    public async Task ClientThatLeaves_IsRecorded()
    {
        await using var upstream = await ScriptedHttp2Upstream.StartAsync(UpstreamScript.EventStream().Body("data: 1\n\n").Delay(TimeSpan.FromSeconds(10)).EndClean());
        var result = await Http2Client.SendAsync(Call(upstream) with { LeaveWhen = body => body.Length > 0 }, Cancel);
        Assert.Equal(ClientEnding.ClientLeft, result.Ending);
        Assert.Equal(AttemptEnding.CancelledByGateway, await upstream.Exchanges[0].Ended.WaitAsync(TimeSpan.FromSeconds(5), Cancel));
    }

    private static HttpCall Call(ScriptedHttp2Upstream upstream) =>
        new() { Address = upstream.Address, Target = "/v1/chat/completions?a=b", Body = Chat.Default.Request() };
}
