using System.Text;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.TestKit;

/// <summary>The scripted upstream and the raw client hold each other to account: what one did, the other must have seen.</summary>
public sealed class ScriptedUpstreamTests
{
    private static readonly byte[] Hello = Chat.Default.Stream("Hel", "lo");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(BodyFraming.Chunked)]
    [InlineData(BodyFraming.ContentLength)]
    [InlineData(BodyFraming.CloseDelimited)]
    public async Task WholeBody_EndsClean(BodyFraming framing)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream(framing, Hello.Length).Events(Hello).EndClean());
        var result = await RawHttpClient.PostAsync(upstream.Address, Chat.Default.Request(), cancel: Cancel);
        Assert.Equal((200, ClientEnding.Clean), (result.Status, result.Ending));
        Assert.Equal(Hello, result.Body);
        var exchange = Assert.Single(upstream.Exchanges);
        Assert.Equal(AttemptEnding.Clean, await exchange.Ended.WaitAsync(Cancel));
        Assert.Equal(("POST", "/v1/chat/completions"), (exchange.Method, exchange.Target));
        Assert.Equal(Chat.Default.Request(), exchange.Body);
        Assert.Equal("application/json", exchange.Header("content-type"));
        Assert.Equal(Hello, exchange.Sent);
        Assert.True(exchange.AsksForStream);
    }

    [Fact]
    public async Task CloseWithoutTerminator_IsSeenAsThat()
    {
        foreach (var framing in (BodyFraming[])[BodyFraming.Chunked, BodyFraming.ContentLength])
        {
            await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream(framing, Hello.Length).Body(Hello.AsMemory(0, 50)).CloseWithoutTerminator());
            var result = await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel);
            Assert.Equal(ClientEnding.WithoutTerminator, result.Ending);
            Assert.Equal(Hello[..50], result.Body);
            Assert.Equal(AttemptEnding.Broken, (await AttemptAsync(upstream)).Ending);
        }
    }

    [Fact]
    public async Task Reset_IsSeenAsConnectionReset()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Cut(Hello, 50).Delay(TimeSpan.FromMilliseconds(50)).Reset());
        var result = await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel);
        Assert.Equal((200, ClientEnding.ConnectionReset), (result.Status, result.Ending));
        Assert.Equal(Hello[..50], result.Body);
        Assert.True((await AttemptAsync(upstream)).MayHaveLostBytes);
    }

    [Fact]
    public async Task ResetAtOnce_GivesNoResponse()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.ResetAtOnce);
        var result = await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel);
        Assert.Equal((null, ClientEnding.ConnectionReset), (result.Status, result.Ending));
        Assert.Equal(0, (await AttemptAsync(upstream)).Status);
    }

    [Fact]
    public async Task BadChunk_BreaksTheBody()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream().Body("data: 1\n\n").BadChunk());
        var result = await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel);
        Assert.Equal((ClientEnding.WithoutTerminator, "data: 1\n\n"), (result.Ending, result.Text));
    }

    [Fact]
    public async Task NeverAnswer_TimesOutAndSeesThePeerLeave()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.NeverAnswer);
        var result = await RawHttpClient.SendAsync(new HttpCall { Address = upstream.Address, Timeout = TimeSpan.FromMilliseconds(200) }, Cancel);
        Assert.Equal((null, ClientEnding.TimedOut), (result.Status, result.Ending));
        Assert.Equal(AttemptEnding.Stalled, await upstream.Exchanges[0].Ended.WaitAsync(TimeSpan.FromSeconds(5), Cancel));
    }

    [Fact]
    public async Task StallNobodyEnds_CountsAsLeftOpen()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream().Body("data: 1\n\n").Stall(TimeSpan.FromMilliseconds(100)));
        var result = await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel);
        Assert.NotEqual(ClientEnding.Clean, result.Ending);
        Assert.Equal(AttemptEnding.LeftOpen, await upstream.Exchanges[0].Ended.WaitAsync(Cancel));
    }

    [Fact]
    public async Task ClientThatLeaves_IsRecorded()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream().Events(Hello, gap: TimeSpan.FromMilliseconds(100)).EndClean());
        var result = await RawHttpClient.SendAsync(new HttpCall { Address = upstream.Address, LeaveWhen = body => body.Length > 0 }, Cancel);
        Assert.Equal(ClientEnding.ClientLeft, result.Ending);
        Assert.Equal(AttemptEnding.CancelledByGateway, await upstream.Exchanges[0].Ended.WaitAsync(TimeSpan.FromSeconds(5), Cancel));
    }

    [Fact]
    public async Task Gaps_ShowInTheArrivals()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream().Events(Hello, gap: TimeSpan.FromMilliseconds(60)).EndClean());
        var result = await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel);
        Assert.Equal(5, result.Arrivals.Count);
        Assert.All(result.Arrivals.Zip(result.Arrivals.Skip(1)), pair => Assert.InRange(pair.Second.At - pair.First.At, TimeSpan.FromMilliseconds(40), TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task WaitFor_HoldsTheStreamUntilTheTestSaysSo()
    {
        var go = new TaskCompletionSource();
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.EventStream().Body("data: 1\n\n").WaitFor(go.Task).Body("data: 2\n\n").EndClean());
        var result = await RawHttpClient.SendAsync(
            new HttpCall
            {
                Address = upstream.Address,
                LeaveWhen = _ =>
                {
                    go.TrySetResult();
                    return false;
                },
            },
            Cancel);
        Assert.Equal(("data: 1\n\ndata: 2\n\n", 2), (result.Text, result.Arrivals.Count));
    }

    [Fact]
    public async Task ConnectionIsKept_AndCounted()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.Json(Chat.Default.Completion("Hi"));
        using (var client = new HttpClient())
        {
            for (var i = 0; i < 3; i++)
            {
                using var content = new ByteArrayContent(Chat.Default.Request(stream: false));
                using var response = await client.PostAsync(upstream.Address, content, Cancel);
                Assert.Equal(Chat.Default.Completion("Hi"), await response.Content.ReadAsByteArrayAsync(Cancel));
            }

            Assert.Equal((3, 1, 1), (upstream.RequestCount, upstream.ConnectionsOpened, upstream.ConnectionsOpen));
            Assert.All(upstream.Exchanges, e => Assert.Equal(1, e.Connection));
        }

        for (var i = 0; i < 100 && upstream.ConnectionsOpen > 0; i++)
        {
            await Task.Delay(20, Cancel);
        }

        Assert.Equal(0, upstream.ConnectionsOpen);
    }

    [Fact]
    public async Task ChunkedRequest_IsReadWhole()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Json("{}"u8.ToArray()));
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, upstream.Address) { Content = new StringContent(new string('x', 100_000)) };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.ExpectContinue = true;
        using var response = await client.SendAsync(request, Cancel);
        Assert.Equal(100_000, upstream.Exchanges[0].Body.Length);
    }

    [Fact]
    public async Task Scripts_AreChosenByRequestThenQueueThenDefault()
    {
        await using var upstream = ScriptedUpstream.Start(Said("queued"));
        upstream.Choose = e => e.Target == "/chosen" ? Said("chosen") : null;
        upstream.Default = Said("default");
        List<string> got = [];
        foreach (var target in (string[])["/a", "/chosen", "/b"])
        {
            got.Add((await RawHttpClient.PostAsync(upstream.Address, [], target, Cancel)).Text);
        }

        Assert.Equal(["queued", "chosen", "default"], got);

        static UpstreamScript Said(string text) => UpstreamScript.Json(Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public async Task NoScript_IsAnswered501()
    {
        await using var upstream = ScriptedUpstream.Start();
        Assert.Equal(501, (await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel)).Status);
    }

    [Fact]
    public async Task RefusingEndpoint_Refuses()
    {
        using var nobody = new RefusingEndpoint();
        var result = await RawHttpClient.PostAsync(nobody.Address, [], cancel: Cancel);
        Assert.Equal((null, ClientEnding.ConnectionReset), (result.Status, result.Ending));
    }

    [Fact]
    public async Task GzipAnswer_IsJudgedDecoded()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Compress, leaveOpen: true))
        {
            await gzip.WriteAsync(Hello, Cancel);
        }

        await using var upstream = ScriptedUpstream.Start(new UpstreamScript()
            .Head(200, "text/event-stream", headers: ("Content-Encoding", "gzip")).Body(packed.ToArray()).EndClean());
        await RawHttpClient.PostAsync(upstream.Address, [], cancel: Cancel);
        Assert.Equal(Hello, (await AttemptAsync(upstream)).Body);
    }

    [Fact]
    public async Task DisposeWhileAScriptRuns_IsQuick()
    {
        var upstream = ScriptedUpstream.Start(UpstreamScript.NeverAnswer);
        var call = RawHttpClient.SendAsync(new HttpCall { Address = upstream.Address, Timeout = TimeSpan.FromSeconds(10) }, Cancel);
        for (var i = 0; i < 100 && upstream.RequestCount == 0; i++)
        {
            await Task.Delay(20, Cancel);
        }

        await upstream.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(3), Cancel);
        Assert.NotEqual(ClientEnding.Clean, (await call).Ending);
        Assert.Equal(AttemptEnding.LeftOpen, upstream.Exchanges[0].ToAttempt().Ending);
    }

    [Fact]
    public async Task DirectConnection_FulfilsTheContractOnlyWhileNothingFails()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Hello), UpstreamScript.Cut(Hello, 300).CloseWithoutTerminator());
        var good = await RawHttpClient.PostAsync(upstream.Address, Chat.Default.Request(), cancel: Cancel);
        var bad = await RawHttpClient.PostAsync(upstream.Address, Chat.Default.Request(), cancel: Cancel);
        Assert.Empty(Check(good, await AttemptAsync(upstream)));
        Assert.NotEmpty(Check(bad, await AttemptAsync(upstream, 1)));

        static IReadOnlyList<Violation> Check(HttpResult result, AttemptRecord attempt) => StreamContract.Check(new Transcript
        {
            RequestBody = Chat.Default.Request(),
            Attempts = [attempt],
            Client = result.ToClientRecord(),
        });
    }

    /// <summary>An exchange that is through: the client may see its end before the upstream has written it down.</summary>
    private static async Task<AttemptRecord> AttemptAsync(ScriptedUpstream upstream, int number = 0)
    {
        await upstream.Exchanges[number].Ended.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
        return upstream.Exchanges[number].ToAttempt();
    }
}
