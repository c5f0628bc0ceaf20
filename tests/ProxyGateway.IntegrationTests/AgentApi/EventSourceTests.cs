using System.Diagnostics;
using System.Text.Json;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.IntegrationTests.AgentApi;

/// <summary>The EventSource of npm, as a page uses it.</summary>
public sealed class EventSourceTests
{
    [Fact]
    public async Task EventSource_StaysOpenOverCutsAndRestartsAndComesBackByItselfAfterTheEnd()
    {
        var folder = Path.Combine(SharedData.RepositoryRoot(AppContext.BaseDirectory)!, "tests", "clients");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "eventsource")))
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "the client is not installed: npm install --no-package-lock in tests/clients");
            Assert.Fail("the client is not installed: npm install --no-package-lock in tests/clients");
        }

        await using var agent = await FakeAgent.StartAsync();
        agent.ExtraField = "retry: 100";
        agent.Say("question", role: "user");
        agent.Complain("shown once");
        await using var gateway = await AgentSetup.StartAsync(
            agent.Address, s => s.Global(("HeartbeatInterval", "00:00:00.05")), ("Reconnect:Timeout", "00:00:03"));
        await using var page = new Page(folder, new Uri(gateway.Http1, "/events"));
        await page.ShowsAsync(p => p is { Opened: 1, Status: "stable", Messages: ["question"], Errors: ["shown once"] });

        for (var i = 1; i <= 5; i++)
        {
            agent.Cut(midEvent: true);
            await GatewayFixture.EventuallyAsync(() => agent.Subscribers == 1, "the gateway should be back");
            agent.Say($"answer {i}");
            await page.ShowsAsync(p => p.Messages.Count == i + 1);
        }

        await agent.StopAsync();
        await agent.RestartAsync();
        await GatewayFixture.EventuallyAsync(() => agent.Subscribers == 1, "the gateway should be back");
        agent.Set("running");
        await page.ShowsAsync(p => p is { Opened: 1, Failed: 0, Status: "running", Messages.Count: 6, Errors: ["shown once"] });

        // Another conversation: the stream ends, and the page opens a new one without being told to.
        await agent.StopAsync();
        await agent.RestartAsync(keepState: false);
        agent.Say("another conversation");
        await page.ShowsAsync(p => p is { Opened: 2, Failed: > 0 } && p.Messages[0] == "another conversation");
    }

    private sealed record Shown(int Opened, int Failed, string Status, List<string> Messages, List<string> Errors);

    private sealed class Page : IAsyncDisposable
    {
        private readonly Process _node;
        private readonly Task _reading;
        private volatile Shown? _latest;

        public Page(string folder, Uri events)
        {
            _node = Process.Start(new ProcessStartInfo("node", "eventsource.mjs")
            {
                WorkingDirectory = folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                Environment = { ["EVENTS_URL"] = events.ToString() },
            })!;
            _reading = ReadAsync();
        }

        public Task ShowsAsync(Func<Shown, bool> condition) =>
            GatewayFixture.EventuallyAsync(() => _latest is { } shown && condition(shown), "the page should show something else");

        public async ValueTask DisposeAsync()
        {
            _node.StandardInput.Close();
            await _reading;
            await _node.WaitForExitAsync();
            _node.Dispose();
        }

        private async Task ReadAsync()
        {
            while (await _node.StandardOutput.ReadLineAsync() is { } line)
            {
                _latest = JsonSerializer.Deserialize<Shown>(line, JsonSerializerOptions.Web);
            }
        }
    }
}
