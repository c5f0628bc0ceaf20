using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using ProxyGateway.Demo;
using Xunit;

namespace ProxyGateway.IntegrationTests.Management;

public sealed class CircuitControlTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task IsolatedCluster_RefusesAcrossAReloadUntilItIsClosed()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var isolated = await gateway.PostAsync("/api/clusters/GOOD/circuit/isolate", Cancel, """{"why":"upgrade"}""");
        Assert.Equal(HttpStatusCode.OK, isolated.StatusCode);
        Assert.Equal("isolated", JsonElement.Parse(await isolated.Content.ReadAsStringAsync(Cancel)).GetProperty("state").GetProperty("state").GetString());

        using var refused = await gateway.ChatAsync("demo-good", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        gateway.App.Configuration["ReverseProxy:Clusters:good:Timeouts:Connect"] = "00:00:02";
        ((IConfigurationRoot)gateway.App.Configuration).Reload();
        using var stillRefused = await gateway.ChatAsync("demo-good", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, stillRefused.StatusCode);
        Assert.Equal(0, gateway.Fleet.Agents[DemoFleet.Good].StreamingRequests);

        using var closed = await gateway.PostAsync("/api/clusters/good/circuit/close", Cancel, """{"why":"done"}""");
        using var served = await gateway.ChatAsync("demo-good", Cancel);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (closed.StatusCode, served.StatusCode));
        var refusals = (await gateway.StatusAsync(Cancel)).GetProperty("recoveries")[0];
        Assert.Equal(("rejected", "circuit_open", 2), (refusals.GetProperty("outcome").GetString(), refusals.GetProperty("fault").GetString(), refusals.GetProperty("times").GetInt32()));
    }

    [Fact]
    public async Task IsolatedStreamingCircuit_AsksNonStreamingAndStillStreams()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var isolated = await gateway.PostAsync("/api/clusters/good/circuit/isolate?circuit=streaming", Cancel);

        using var answer = await gateway.ChatAsync("demo-good", Cancel);

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("[DONE]", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal((0, 1), (gateway.Fleet.Agents[DemoFleet.Good].StreamingRequests, gateway.Fleet.Agents[DemoFleet.Good].NonStreamingRequests));
    }

    [Fact]
    public async Task EachAction_IsOneLineOfLogWithWhoAndWhy()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var request = gateway.Post("/api/clusters/good/circuit/isolate", JsonSerializer.Serialize(new Dictionary<string, string> { ["why"] = "a\r\nfake: line\u202E" + new string('x', 400) }));
        request.Headers.Add("x-gateway-user", "ada");
        using var response = await gateway.Client.SendAsync(request, Cancel);

        var line = Assert.Single(gateway.Log, l => l.Contains("isolate by", StringComparison.Ordinal));
        Assert.StartsWith("circuit cluster of cluster good: isolate by ada from 127.0.0.1 at ", line, StringComparison.Ordinal);
        Assert.Contains("why: a  fake: line xxx", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        Assert.True(line.Length < 500);
        var change = (await gateway.StatusAsync(Cancel)).GetProperty("circuitChanges")[0];
        Assert.Equal(("isolated_by_hand", "ada"), (change.GetProperty("reason").GetString(), change.GetProperty("by").GetString()));
    }

    [Fact]
    public async Task Reset_ForgetsFailures()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);
        using var answer = await gateway.ChatAsync("demo-reset-12", Cancel);
        Assert.Equal(1, await FailuresAsync());

        using var response = await gateway.PostAsync("/api/clusters/dying/circuit/reset?circuit=streaming", Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(0, await FailuresAsync());

        async Task<int> FailuresAsync() => (await gateway.StatusAsync(Cancel)).GetProperty("clusters").EnumerateArray()
            .Single(c => c.GetProperty("id").GetString() == "dying").GetProperty("circuits").GetProperty("streaming").GetProperty("failuresInARow").GetInt32();
    }

    [Theory]
    [InlineData("/api/clusters/nobody/circuit/isolate", null, HttpStatusCode.NotFound, "no_such_cluster")]
    [InlineData("/api/clusters/good/circuit/explode", null, HttpStatusCode.NotFound, "no_such_action")]
    [InlineData("/api/clusters/good/circuit/isolate?circuit=short", null, HttpStatusCode.BadRequest, "no_such_circuit")]
    [InlineData("/api/clusters/good/circuit/isolate", "why not", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("/api/clusters/diverging/circuit/isolate", null, HttpStatusCode.Conflict, "no_circuit")]
    [InlineData("/api/elsewhere", null, HttpStatusCode.NotFound, "not_found")]
    public async Task UnusableAction_IsRefusedAndChangesNothing(string path, string? body, HttpStatusCode status, string code)
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel, ("ReverseProxy:Clusters:diverging:CircuitBreaker:Enabled", "false"));

        using var response = await gateway.PostAsync(path, Cancel, body);

        Assert.Equal((status, code), (response.StatusCode, await CodeAsync(response)));
        Assert.Equal(0, (await gateway.StatusAsync(Cancel)).GetProperty("circuitChanges").GetArrayLength());
    }

    [Fact]
    public async Task BodyThatIsTooLong_IsRefused()
    {
        await using var gateway = await ManagedGateway.StartAsync(Cancel);

        using var response = await gateway.PostAsync("/api/clusters/good/circuit/isolate", Cancel, $$"""{"why":"{{new string('x', 5000)}}"}""");

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (response.StatusCode, await CodeAsync(response)));
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancel)).GetProperty("error").GetProperty("code").GetString();
}
