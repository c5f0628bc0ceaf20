using System.Security.Cryptography;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Clients;

public sealed class ClientKeyTests
{
    [Theory]
    [InlineData(null, null, 401)]
    [InlineData("Authorization", "Bearer wrong", 401)]
    [InlineData("Authorization", "Bearer alice-key", 200)]
    [InlineData("x-api-key", "alice-key", 200)]
    [InlineData("Authorization", "Bearer bob-key", 403)]
    public async Task Key_DecidesWhoMayUseARoute(string? header, string? value, int status)
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s => Clients(s.Cluster("primary", upstream)));

        var result = await SendAsync(gateway, header, value);

        Assert.Equal(status, result.Status);
        Assert.Equal(status == 200 ? 1 : 0, upstream.RequestCount);
        if (status != 200)
        {
            Assert.Contains("\"error\":{\"message\":", result.Text);
            Assert.DoesNotContain("-key", result.Text);
        }
        else
        {
            // The gateway's key is no upstream's business.
            Assert.DoesNotContain(upstream.Exchanges[0].Headers, h => h.Value.Contains("alice-key"));
        }

        Assert.DoesNotContain(gateway.Log.All, line => line.Contains("-key"));
    }

    [Fact]
    public async Task Limits_AreAnswered429WithRetryAfter()
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            Clients(s.Cluster("primary", upstream));
            s["Clients:alice:RequestsPerMinute"] = "2";
        });

        var statuses = new List<int?>();
        HttpResult last = null!;
        for (var i = 0; i < 3; i++)
        {
            last = await SendAsync(gateway, "Authorization", "Bearer alice-key");
            statuses.Add(last.Status);
        }

        Assert.Equal([200, 200, 429], statuses);
        Assert.True(int.Parse(last.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture) >= 1);
        Assert.Equal(2, upstream.RequestCount);
    }

    [Fact]
    public async Task ConcurrentRequests_AreLimitedPerClient()
    {
        await using var upstream = ScriptedUpstream.Start(UpstreamScript.NeverAnswer, UpstreamScript.Stream(Agents.WholeStream));
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            Clients(s.Cluster("primary", upstream));
            s["Clients:alice:MaxConcurrentRequests"] = "1";
        });

        var stop = new CancellationTokenSource();
        var first = RawHttpClient.SendAsync(Call(gateway, "Authorization", "Bearer alice-key"), stop.Token);
        await GatewayFixture.EventuallyAsync(() => upstream.RequestCount == 1, "the first request did not arrive");
        Assert.Equal(429, (await SendAsync(gateway, "Authorization", "Bearer alice-key")).Status);
        await stop.CancelAsync();
        try
        {
            await first;
        }
        catch (OperationCanceledException)
        {
            // It left; that is what frees its place.
        }

        await GatewayFixture.EventuallyAsync(() => SendAsync(gateway, "Authorization", "Bearer alice-key").GetAwaiter().GetResult().Status == 200, "the place was not given back");
    }

    private static void Clients(GatewaySetup setup)
    {
        setup["Clients:alice:KeyHash"] = Hash("alice-key");
        setup["Clients:bob:KeyHash"] = Hash("bob-key");
        setup["Clients:bob:Routes:0"] = "another-route";
    }

    private static string Hash(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static HttpCall Call(GatewayFixture gateway, string? header, string? value) => new()
    {
        Address = gateway.Http1,
        Body = Chat.Default.Request(),
        Headers = header is null ? [new("Content-Type", "application/json")] : [new("Content-Type", "application/json"), new(header, value!)],
    };

    private static Task<HttpResult> SendAsync(GatewayFixture gateway, string? header, string? value) =>
        RawHttpClient.SendAsync(Call(gateway, header, value), TestContext.Current.CancellationToken);
}
