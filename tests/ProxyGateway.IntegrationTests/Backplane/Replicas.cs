using System.Security.Cryptography;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using Xunit;

namespace ProxyGateway.IntegrationTests.Backplane;

/// <summary>What the gateways of these tests have in common.</summary>
internal static class Replicas
{
    public const string ClientKey = "alice-key";

    public static GatewaySetup Backplane(this GatewaySetup setup, string address, string interval = "00:00:00.1")
    {
        setup["Gateway:Backplane:ConnectionString"] = address;
        setup["Gateway:Backplane:Interval"] = interval;
        return setup;
    }

    public static GatewaySetup Client(this GatewaySetup setup, int perMinute)
    {
        setup["Clients:alice:KeyHash"] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(ClientKey)));
        setup["Clients:alice:RequestsPerMinute"] = $"{perMinute}";
        return setup;
    }

    public static Task<HttpResult> AskAsync(this GatewayFixture gateway) => gateway.SendAsync(
        Wire.Http1,
        Chat.Default.Request(),
        c => c with { Headers = [new("Content-Type", "application/json"), new("Authorization", "Bearer " + ClientKey)] });

    /// <summary>The gauge; null where there is no series. Not by a scrape, which has the meters of every gateway in this process.</summary>
    public static double? Up(this GatewayFixture gateway) => gateway.Meter.Observe("proxygateway.backplane.up");

    public static async Task UntilAsync(Func<bool> condition, string otherwise)
    {
        var deadline = DateTime.UtcNow + TimeSpan.FromSeconds(40);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, otherwise);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
