using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using ProxyGateway.Demo;
using ProxyGateway.Management.Api;
using Xunit;

namespace ProxyGateway.IntegrationTests.Management;

public sealed class StatusApiTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RecoveredStream_IsToldWithoutItsPrompt()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var answer = await gateway.ChatAsync("demo-reset-12", Cancel, "the-secret-prompt");
        await answer.Content.ReadAsStringAsync(Cancel);

        var text = await gateway.Client.GetStringAsync("/api/status", Cancel);
        var status = JsonElement.Parse(text);
        var recovery = status.GetProperty("recoveries")[0];

        Assert.Equal("recovered", recovery.GetProperty("outcome").GetString());
        Assert.Equal("chat", recovery.GetProperty("route").GetString());
        Assert.Equal(DemoFleet.Dying, recovery.GetProperty("cluster").GetString());
        Assert.Equal(DemoFleet.Dying, recovery.GetProperty("answeredBy").GetString());
        Assert.Equal("content", recovery.GetProperty("phase").GetString());
        Assert.Equal(2, recovery.GetProperty("attempts").GetInt32());
        Assert.True(recovery.GetProperty("deliveredBytes").GetInt64() > 1000);
        Assert.Equal(1, status.GetProperty("totals").GetProperty("recovered").GetInt64());
        Assert.Equal(0, status.GetProperty("active").GetInt32());
        Assert.DoesNotContain("the-secret-prompt", text, StringComparison.Ordinal);
        Assert.DoesNotContain("the-secret-prompt", string.Join('\n', gateway.Log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StreamInFlight_IsListedUntilItEnds()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel, ($"ReverseProxy:Clusters:{DemoFleet.Stalling}:Timeouts:Idle", "00:00:03"));
        var chat = gateway.ChatAsync("demo-stall-3", Cancel);

        JsonElement exchange = default;
        var patience = DateTime.UtcNow.AddSeconds(20);
        while (exchange.ValueKind == JsonValueKind.Undefined && DateTime.UtcNow < patience)
        {
            var status = await gateway.StatusAsync(Cancel);
            exchange = status.GetProperty("exchanges").EnumerateArray().FirstOrDefault(e => e.GetProperty("contentEvents").GetInt64() == 3);
            await Task.Delay(20, Cancel);
        }

        Assert.Equal("chat", exchange.GetProperty("route").GetString());
        Assert.Equal(DemoFleet.Stalling, exchange.GetProperty("cluster").GetString());
        Assert.Equal(1, exchange.GetProperty("attempts").GetInt32());
        Assert.False(exchange.GetProperty("recovering").GetBoolean());
        Assert.InRange(exchange.GetProperty("sinceContentMs").GetInt64(), 0, exchange.GetProperty("ageMs").GetInt64());
        using var answer = await chat;
        Assert.Contains("[DONE]", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(0, (await gateway.StatusAsync(Cancel)).GetProperty("exchanges").GetArrayLength());
    }

    [Fact]
    public async Task Clusters_HaveTheirCircuitsFallbacksAndDestinations()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel, ($"ReverseProxy:Clusters:{DemoFleet.Good}:Destinations:a:Address", "http://user:pass@127.0.0.1:9/v1?key=abc"));

        var text = await gateway.Client.GetStringAsync("/api/status", Cancel);
        var clusters = JsonElement.Parse(text).GetProperty("clusters").EnumerateArray().ToDictionary(c => c.GetProperty("id").GetString()!);

        Assert.Equal(gateway.Fleet.Agents.Keys.Order(StringComparer.Ordinal), clusters.Keys);
        Assert.Equal([DemoFleet.Good], clusters[DemoFleet.Dying].GetProperty("fallback").EnumerateArray().Select(f => f.GetString()!));
        Assert.Equal("closed", clusters[DemoFleet.Dying].GetProperty("circuits").GetProperty("streaming").GetProperty("state").GetString());
        Assert.Equal(100, clusters[DemoFleet.Dying].GetProperty("circuits").GetProperty("cluster").GetProperty("failureThreshold").GetInt32());
        var destination = clusters[DemoFleet.Good].GetProperty("destinations")[0];
        Assert.Equal("http://127.0.0.1:9/v1 (hidden)", destination.GetProperty("address").GetString());
        Assert.Equal("unknown", destination.GetProperty("passive").GetString());
        Assert.True(destination.GetProperty("available").GetBoolean());
        Assert.DoesNotContain("pass@", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_TellEverythingFirstAndThenEachRecoveryAndCircuitChange()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var response = await gateway.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using var events = SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel).GetAsyncEnumerator(Cancel);

        var greeting = await NextAsync(events, "status");
        Assert.Equal(0, greeting.GetProperty("recoveries").GetArrayLength());
        using var answer = await gateway.ChatAsync("demo-reset-12", Cancel);
        Assert.Equal(DemoFleet.Dying, (await NextAsync(events, "recovery")).GetProperty("cluster").GetString());
        using var isolated = await gateway.PostAsync("/api/clusters/good/circuit/isolate", Cancel, """{"why":"test"}""");
        Assert.Equal("isolated", (await NextAsync(events, "circuit")).GetProperty("to").GetString());
        var snapshot = await NextAsync(events, "status");
        Assert.False(snapshot.TryGetProperty("recoveries", out _));
    }

    [Fact]
    public async Task OneListenerTooMany_IsSentAwayUntilOneLeaves()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        var listeners = new List<HttpResponseMessage>();
        for (var i = 0; i < StatusFeed.MaxListeners; i++)
        {
            listeners.Add(await gateway.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, Cancel));
        }

        Assert.All(listeners, l => Assert.Equal(HttpStatusCode.OK, l.StatusCode));
        using var refused = await gateway.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);

        listeners[0].Dispose();
        HttpStatusCode status;
        var patience = DateTime.UtcNow.AddSeconds(20);
        do
        {
            using var next = await gateway.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, Cancel);
            status = next.StatusCode;
        }
        while (status != HttpStatusCode.OK && DateTime.UtcNow < patience);

        Assert.Equal(HttpStatusCode.OK, status);
        listeners.ForEach(l => l.Dispose());
    }

    [Fact]
    public async Task Stop_EndsTheListeners()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var response = await gateway.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, Cancel);

        await gateway.App.StopAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(20), Cancel);

        await response.Content.ReadAsStringAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(5), Cancel);
    }

    [Fact]
    public async Task Config_ShowsSettingsAndNoSecret()
    {
        await using var gateway = await ManagedGateway.StartAsync(
            Cancel,
            ("ReverseProxy:Clusters:good:Metadata:ApiKey", "hush-1"),
            ("ReverseProxy:Routes:chat:Transforms:0:RequestHeader", "x-api-key"),
            ("ReverseProxy:Routes:chat:Transforms:0:Set", "hush-2"),
            ("Gateway:Certificate:Password", "hush-3"),
            ("ReverseProxy:Clusters:dying:Metadata:Note", "sk-hush-4"));

        var text = await gateway.Client.GetStringAsync("/api/config", Cancel);
        var document = JsonElement.Parse(text);

        Assert.Equal(1, document.GetProperty("state").GetProperty("version").GetInt64());
        Assert.Equal(3, document.GetProperty("active").GetProperty("StreamingFallback").GetProperty("MaxAttempts").GetInt32());
        var route = document.GetProperty("active").GetProperty("ReverseProxy").GetProperty("Routes").GetProperty("chat");
        Assert.Equal("x-api-key", route.GetProperty("Transforms")[0].GetProperty("RequestHeader").GetString());
        Assert.Equal("(hidden)", route.GetProperty("Transforms")[0].GetProperty("Set").GetString());
        Assert.DoesNotContain("hush", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReloadOfAProcessThatCannot_SaysSo()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);

        using var response = await gateway.PostAsync("/api/reload?dryRun=true", Cancel);
        var outcome = JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancel));

        Assert.Equal(HttpStatusCode.NotImplemented, response.StatusCode);
        Assert.False(outcome.GetProperty("success").GetBoolean());
        Assert.True(outcome.GetProperty("dryRun").GetBoolean());
        Assert.Equal(1, outcome.GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Traffic_HasASampleASecondWithTheTotals()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var answer = await gateway.ChatAsync("demo-good", Cancel);

        JsonElement document;
        long completed;
        var patience = DateTime.UtcNow.AddSeconds(20);
        do
        {
            document = JsonElement.Parse(await gateway.Client.GetStringAsync("/api/traffic", Cancel));
            var column = document.GetProperty("columns").EnumerateArray().Select(c => c.GetString()).ToList().IndexOf("completed");
            completed = document.GetProperty("samples").EnumerateArray().Last()[column].GetInt64();
            await Task.Delay(50, Cancel);
        }
        while (completed == 0 && DateTime.UtcNow < patience);

        Assert.Equal(1, completed);
        var times = document.GetProperty("samples").EnumerateArray().Select(s => s[0].GetInt64()).ToList();
        Assert.Equal(times.Order(), times);
    }

    private static async Task<JsonElement> NextAsync(IAsyncEnumerator<SseItem<string>> events, string name)
    {
        while (await events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancel))
        {
            if (events.Current.EventType == name)
            {
                return JsonElement.Parse(events.Current.Data);
            }
        }

        throw new InvalidOperationException($"The stream ended without a {name}.");
    }
}
