using System.Net;
using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.IntegrationTests.DemoAgents;

public sealed class DemoAgentOptionTests
{
    private const string Chat = "/v1/chat/completions";

    [Fact]
    public async Task StreamingDiesByOption_NonStreamingIsGood()
    {
        await using var agent = await StartAsync(new() { Streaming = new(DemoBehaviorKind.Reset, 2) });

        Assert.Equal(WireEnding.Reset, (await PostAsync(agent, stream: true)).Ending);
        Assert.Equal(WireEnding.Terminator, (await PostAsync(agent, stream: false)).Ending);
    }

    [Theory]
    [InlineData(DemoBehaviorKind.Reset, WireEnding.Reset)]
    [InlineData(DemoBehaviorKind.Half, WireEnding.Fin)]
    [InlineData(DemoBehaviorKind.Clean, WireEnding.Terminator)]
    [InlineData(DemoBehaviorKind.Stall, WireEnding.Silence)]
    public async Task NonStreamingDiesByOption_HalfTheBody(DemoBehaviorKind kind, WireEnding ending)
    {
        await using var agent = await StartAsync(new() { NonStreaming = new(kind) });

        var whole = await PostAsync(agent, stream: false, model: "demo-good");
        var cut = await PostAsync(agent, stream: false, silence: TimeSpan.FromMilliseconds(300));

        Assert.Equal(ending, cut.Ending);
        Assert.NotEmpty(cut.Body);
        Assert.True(cut.Body.Length < whole.Body.Length);
        Assert.StartsWith(cut.Body[..20], whole.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Schedule_DecidesBeforeTheModelName()
    {
        await using var agent = await StartAsync(new()
        {
            Schedule = r => r is { Streaming: true, Number: 2 } ? new DemoBehavior(DemoBehaviorKind.Reset, 1) : null,
        });

        Assert.Equal(WireEnding.Terminator, (await PostAsync(agent, stream: true, model: "demo-good")).Ending);
        Assert.Equal(WireEnding.Reset, (await PostAsync(agent, stream: true, model: "demo-good")).Ending);
        Assert.Equal(WireEnding.Terminator, (await PostAsync(agent, stream: true, model: "demo-good")).Ending);
    }

    [Fact]
    public async Task ModelNamesNotObeyed_TheOptionsDecide()
    {
        await using var agent = await StartAsync(new() { ObeyModelNames = false });

        Assert.Equal(WireEnding.Terminator, (await PostAsync(agent, stream: true, model: "demo-reset-1")).Ending);
    }

    [Fact]
    public async Task Bursts_CutStaysAtExactlyN()
    {
        await using var agent = await StartAsync(new() { TokensPerBurst = 4, Streaming = new(DemoBehaviorKind.Reset, 6) });

        Assert.Equal(7, (await PostAsync(agent, stream: true)).Events.Length);
    }

    [Fact]
    public async Task DisposedInMidStream_TheStreamDiesWithoutTerminator()
    {
        var agent = await StartAsync(new() { Streaming = new(DemoBehaviorKind.Stall, 1) });
        var response = PostAsync(agent, stream: true);
        while (agent.StreamingRequests == 0)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await agent.DisposeAsync();

        Assert.Contains((await response).Ending, new[] { WireEnding.Fin, WireEnding.Reset });
    }

    [Fact]
    public async Task Http2_ResetIsSeenAfterAllEvents()
    {
        await using var agent = await StartAsync(new() { Http2 = true, Streaming = new(DemoBehaviorKind.Reset, 5) });
        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(agent.Address, Chat))
        {
            Content = new StringContent(Request(true, null)),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        var cancellation = TestContext.Current.CancellationToken;
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var reader = new StreamReader(body);
        var events = 0;

        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await reader.ReadLineAsync(cancellation) is { } line)
            {
                events += line.StartsWith("data: ", StringComparison.Ordinal) ? 1 : 0;
            }
        });
        Assert.Equal(6, events);
    }

    private static Task<DemoAgent> StartAsync(DemoAgentOptions options) =>
        DemoAgent.StartAsync(options, TestContext.Current.CancellationToken);

    private static Task<WireResponse> PostAsync(DemoAgent agent, bool stream, string? model = null, TimeSpan? silence = null) =>
        RawHttpClient.PostAsync(agent.Address, Chat, Request(stream, model), silence);

    private static string Request(bool stream, string? model) =>
        $$"""{"model":"{{model ?? "m"}}","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"Tell me a story"}]}""";
}
