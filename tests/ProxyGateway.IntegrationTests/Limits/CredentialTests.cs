using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Limits;

/// <summary>Each cluster gets its own key and nobody else's.</summary>
public sealed class CredentialTests
{
    private const string ClientKey = "Bearer client-key";

    [Theory]
    [InlineData(Wire.Http1)]
    [InlineData(Wire.Http2)]
    public async Task EachClusterOfAFallback_GetsItsOwnKeyOnly(Wire wire)
    {
        await using var primary = ScriptedUpstream.Start();
        primary.Default = Agents.Error(500);
        await using var droid = ScriptedUpstream.Start();
        droid.Default = Agents.Error(500);
        await using var third = ScriptedUpstream.Start();
        third.Choose = asked => Agents.Good(asked);
        using var keyFile = new KeyFile("droid-key\n");
        await using var gateway = await GatewayFixture.StartAsync(s => s.Global(("MaxAttempts", "5"))
            .Cluster("primary", primary, ("Retry:Budget", "0"), ("Retry:BudgetFloor", "0"), ("Retry:Statuses:0", "500"))
            .Cluster("droid", droid, ("Credentials:Header", "x-api-key"), ("Credentials:ValueFile", keyFile.Path))
            .Cluster("third", third, ("Credentials:Value", "third-key"))
            .Fallback("primary", "droid"));

        var result = await gateway.SendAsync(wire, Chat.Default.Request(), WithKeys);
        Assert.Equal(502, result.Status);
        await gateway.ReloadAsync(s => s.Chat("third"));
        result = await gateway.SendAsync(wire, Chat.Default.Request(), WithKeys);

        Assert.Equal(Agents.WholeText, result.Text());
        Assert.All(primary.Exchanges, e => Assert.Equal((ClientKey, "client-x", "session=client"), (e.Header("Authorization"), e.Header("x-api-key"), e.Header("Cookie"))));
        Assert.All(droid.Exchanges, e => Assert.Equal((null, "droid-key", null), (e.Header("Authorization"), e.Header("x-api-key"), e.Header("Cookie"))));
        Assert.All(third.Exchanges, e => Assert.Equal(("Bearer third-key", null, null), (e.Header("Authorization"), e.Header("x-api-key"), e.Header("Cookie"))));
        Assert.Equal((1, 1, 1), (primary.RequestCount, droid.RequestCount, third.RequestCount));
        Assert.DoesNotContain(gateway.Log.All, l => l.Contains("-key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ClientCredentialsWantedExplicitly_OnlyTheKeysOwnHeaderIsReplaced()
    {
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s
            .Cluster("primary", primary, ("Credentials:Value", "own-key"), ("ForwardClientCredentials", "true")));

        await gateway.SendAsync(Wire.Http1, Chat.Default.Request(), WithKeys);

        var asked = Assert.Single(primary.Exchanges);
        Assert.Equal(("Bearer own-key", "client-x"), (asked.Header("Authorization"), asked.Header("x-api-key")));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    [InlineData(500)]
    public async Task UpstreamEchoesTheKey_ClientDoesNotSeeIt(int status)
    {
        (string, string)[] echo = [("x-echo", "you sent Bearer own-key"), ("x-plain", "kept")];
        await using var primary = ScriptedUpstream.Start();
        primary.Choose = asked => status == 200
            ? new UpstreamScript().Head(200, "text/event-stream", headers: echo).Events(Agents.WholeStream).EndClean()
            : Agents.Error(status, echo);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", primary, ("Credentials:Value", "own-key")));

        var result = await gateway.StreamAsync();

        Assert.Null(result.Header("x-echo"));
        Assert.DoesNotContain(result.Headers, h => h.Value.Contains("own-key", StringComparison.Ordinal));
        Assert.Equal(status == 500 ? null : "kept", result.Header("x-plain"));
    }

    private static HttpCall WithKeys(HttpCall call) => call with
    {
        Headers = [.. call.Headers, new("Authorization", ClientKey), new("x-api-key", "client-x"), new("Cookie", "session=client")],
    };

    private sealed class KeyFile : IDisposable
    {
        public KeyFile(string content) => File.WriteAllText(Path, content);

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetRandomFileName());

        public void Dispose() => File.Delete(Path);
    }
}
