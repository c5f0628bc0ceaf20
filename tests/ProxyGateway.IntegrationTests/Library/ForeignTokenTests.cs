using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.StreamingFallback;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Library;

/// <summary>
/// An application's own middleware (request timeouts) puts another token in the client's place. When that is cancelled the client is
/// still there, and must not take what it has for the whole answer.
/// </summary>
public sealed class ForeignTokenTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    public static TheoryData<string, bool> Situations() => new()
    {
        { "mid-answer", true },
        { "before content", true },
        { "whole answer", false },
    };

    [Theory]
    [MemberData(nameof(Situations))]
    public async Task CancelledByTheApplication_IsNoCleanEnd(string situation, bool streaming)
    {
        await using var upstream = ScriptedUpstream.Start(situation == "mid-answer" ? Agents.Started(3).Stall() : UpstreamScript.NeverAnswer);
        await using var app = await StartAsync(upstream.Address);

        var result = await RawHttpClient.PostAsync(new Uri(app.Urls.First()), Chat.Default.Request(stream: streaming), cancel: TestContext.Current.CancellationToken);

        Assert.NotEqual(ClientEnding.Clean, result.Ending);
        Assert.False(result.IsDone());
    }

    private static async Task<WebApplication> StartAsync(Uri upstream)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ReverseProxy:Routes:chat:ClusterId"] = "agent",
            ["ReverseProxy:Routes:chat:Match:Path"] = "/v1/chat/completions",
            ["ReverseProxy:Routes:chat:StreamingFallback:Format"] = "openai-chat",
            ["ReverseProxy:Clusters:agent:Destinations:a:Address"] = upstream.ToString(),
        });
        builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy")).AddStreamingFallback();
        var app = builder.Build();
        app.Use(async (context, next) =>
        {
            using var own = new CancellationTokenSource(Patience);
            context.RequestAborted = own.Token;
            await next(context);
        });
        app.MapReverseProxy(proxy => proxy.UseStreamingFallback());
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
