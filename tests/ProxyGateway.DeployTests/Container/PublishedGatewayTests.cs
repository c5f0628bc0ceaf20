using System.Net.Sockets;
using System.Text;
using ProxyGateway.DemoAgents;
using Xunit;

namespace ProxyGateway.DeployTests.Container;

/// <summary>The program under the conditions of its image: not root, nothing to write to, a directory mounted for its configuration.</summary>
public sealed class PublishedGatewayTests
{
    private const int Hangup = 1;
    private const int Terminate = 15;

    private const string Request = """{"model":"demo-reset-12","stream":true,"messages":[{"role":"user","content":"hello"}]}""";

    [Fact]
    public async Task NobodyWithNothing_ServesAndRecovers()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image is Linux's.");
        var cancel = TestContext.Current.CancellationToken;
        await using var agent = await DemoAgent.StartAsync(new DemoAgentOptions(), cancel);
        await using var gateway = await PublishedGateway.StartAsync(Configuration(agent.Address));
        if (PublishedGateway.IsConfined)
        {
            Assert.Contains("Uid:\t65532\t65532\t65532\t65532", gateway.Status, StringComparison.Ordinal);
            Assert.Contains("NoNewPrivs:\t1", gateway.Status, StringComparison.Ordinal);
        }

        Assert.Equal((0, $"{gateway.Management.GetLeftPart(UriPartial.Authority)}/health/ready: 200\n"), await gateway.HealthCheckAsync());
        using var client = new HttpClient { BaseAddress = gateway.Proxy };
        using var response = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), Json(Request), cancel);
        var answer = await response.Content.ReadAsStringAsync(cancel);
        Assert.Equal("none", Assert.Single(response.Headers.GetValues("x-gateway-recovery")));
        Assert.EndsWith("data: [DONE]\n\n", answer, StringComparison.Ordinal);

        gateway.Signal(Terminate);
        var (exitCode, log) = await gateway.ExitedAsync();
        Assert.Equal(0, exitCode);
        Assert.Contains("exchange recovered: route chat", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HangUp_ReadsTheConfigurationAnew()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image is Linux's.");
        await using var gateway = await PublishedGateway.StartAsync(Configuration(new Uri("http://127.0.0.1:1/")));
        File.WriteAllText(Path.Combine(gateway.Folder, "appsettings.json"), Configuration(new Uri("http://127.0.0.1:2/")));

        // The look that comes each second would find it too: what shows the signal is that the process lives on and has read it once.
        gateway.Signal(Hangup);
        await gateway.MetricAsync("proxygateway_config_version", 2);
        gateway.Signal(Terminate);

        Assert.Contains("configuration reloaded: ~1 cluster (version 2)", (await gateway.ExitedAsync()).Log, StringComparison.Ordinal);
    }

    /// <summary>A delay longer than what the host adds for endings must not be taken from the streams' time.</summary>
    [Fact]
    public async Task StreamThatOutlastsALongDelayAndTheTimeout_GetsItsErrorEvent()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image is Linux's.");
        var cancel = TestContext.Current.CancellationToken;
        await using var agent = await DemoAgent.StartAsync(new DemoAgentOptions { Tokens = 600, TokenDelay = TimeSpan.FromMilliseconds(100) }, cancel);
        await using var gateway = await PublishedGateway.StartAsync(Configuration(agent.Address), new()
        {
            ["Gateway__Drain__Delay"] = "00:00:06",
            ["Gateway__Drain__Timeout"] = "00:00:02",
        });
        var stream = ReadRawAsync(gateway.Proxy, Request.Replace("demo-reset-12", "demo-good", StringComparison.Ordinal), cancel);
        await Task.Delay(500, cancel);

        gateway.Signal(Terminate);
        var (exitCode, _) = await gateway.ExitedAsync();

        var answer = await stream;
        Assert.Equal(0, exitCode);
        Assert.Contains("\"error\":{", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", answer, StringComparison.Ordinal);
        // The last chunk of a whole body would be a lie.
        Assert.False(answer.EndsWith("0\r\n\r\n", StringComparison.Ordinal), answer[^200..]);
        // Eight seconds of a token each tenth: neither was cut short.
        Assert.InRange(answer.Split("chat.completion.chunk").Length, 60, 100);
    }

    [Fact]
    public async Task SettingOnTheCommandLine_HasTheLastSay()
    {
        var file = Path.Combine(Path.GetTempPath(), $"gateway-{Guid.NewGuid():n}.json");
        File.WriteAllText(file, Configuration(new Uri("http://127.0.0.1:1/")));

        var (invalid, _, errors) = await Tool.TryRunAsync(Path.Combine(AppContext.BaseDirectory, "proxygateway"), "run", "--config", file, "--Gateway:Listen=nowhere");
        var (unknown, _, complaint) = await Tool.TryRunAsync(Path.Combine(AppContext.BaseDirectory, "proxygateway"), "chek");

        File.Delete(file);
        Assert.Equal(1, invalid);
        Assert.Contains("argument --Gateway:Listen", errors, StringComparison.Ordinal);
        Assert.Equal(1, unknown);
        Assert.Contains("Unknown argument chek", complaint, StringComparison.Ordinal);
    }

    private static string Configuration(Uri agent) => $$"""
        {
          "Gateway": { "Drain": { "Delay": "00:00:00", "Timeout": "00:00:05" } },
          "ReverseProxy": {
            "Routes": {
              "chat": { "ClusterId": "agent", "Match": { "Path": "/v1/chat/completions", "Methods": [ "POST" ] }, "StreamingFallback": { "Format": "openai-chat" } }
            },
            "Clusters": { "agent": { "Destinations": { "a": { "Address": "{{agent}}" } } } }
          }
        }
        """;

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task<string> ReadRawAsync(Uri proxy, string body, CancellationToken cancel)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(proxy.Host, proxy.Port, cancel);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"POST /v1/chat/completions HTTP/1.1\r\nHost: {proxy.Authority}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"), cancel);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, cancel);
        return Encoding.UTF8.GetString(all.ToArray());
    }
}
