using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.IntegrationTests.Hostile;
using ProxyGateway.StreamingFallback.CircuitBreaking;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Backplane;

/// <summary>Two gateways and a real Redis.</summary>
public sealed class BackplaneTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CircuitOpensAtOne_TheOtherOpensAfterOneProbe()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Default = UpstreamScript.ResetAtOnce;
        await using var droid = ScriptedUpstream.Start();
        droid.Choose = asked => Agents.Good(asked);
        void Configure(GatewaySetup s) => s.Backplane(redis.Address).Fallback("primary", "droid").Cluster("droid", droid)
            .Cluster("primary", upstream, ("CircuitBreaker:FailureThreshold", "3"), ("CircuitBreaker:BreakDuration", "00:01:00"), ("Retry:Budget", "0"), ("Retry:BudgetFloor", "0"));
        await using var a = await GatewayFixture.StartAsync(Configure);
        await using var b = await GatewayFixture.StartAsync(Configure);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(200, (await a.StreamAsync()).Status);
        }

        Assert.Equal(CircuitStatus.Open, a.Circuits.Get("primary").Cluster.Status);
        await GatewayFixture.EventuallyAsync(() => b.Circuits.Get("primary").Cluster.Snapshot().Hinted > TimeSpan.Zero, "the hint did not arrive");
        Assert.Equal(CircuitStatus.Closed, b.Circuits.Get("primary").Cluster.Status);
        var before = upstream.RequestCount;
        Assert.Equal(200, (await b.StreamAsync()).Status);
        Assert.Equal(200, (await b.StreamAsync()).Status);

        Assert.Equal(1, upstream.RequestCount - before);
        Assert.Equal(CircuitStatus.Open, b.Circuits.Get("primary").Cluster.Status);
        Assert.Equal(1, a.Meter.Count("proxygateway.backplane.hints", ("direction", "published"), ("proxy.cluster.id", "primary"), ("circuit", "cluster")));
        Assert.Equal(1, b.Meter.Count("proxygateway.backplane.hints", ("direction", "received"), ("proxy.cluster.id", "primary"), ("circuit", "cluster")));
    }

    [Fact]
    public async Task OtherReplicaIsWrong_OneProbeFindsOutAndAllRequestsAreServedHere()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        using var nobody = new RefusingEndpoint();
        await using var a = await GatewayFixture.StartAsync(s => s.Backplane(redis.Address).Cluster("primary", nobody.Address, ("CircuitBreaker:FailureThreshold", "1")));
        await using var b = await GatewayFixture.StartAsync(s => s.Backplane(redis.Address).Cluster("primary", upstream));
        await a.StreamAsync();
        var circuit = b.Circuits.Get("primary").Cluster;
        await GatewayFixture.EventuallyAsync(() => circuit.Snapshot().Hinted > TimeSpan.Zero, "the hint did not arrive");

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await b.StreamAsync()).Status);
            await Task.Delay(20, Cancel);
        }

        Assert.Equal((CircuitStatus.Closed, TimeSpan.Zero), (circuit.Status, circuit.Snapshot().Hinted));
    }

    [Fact]
    public async Task ClientLimit_HoldsOverBothReplicas()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var a = await GatewayFixture.StartAsync(s => s.Backplane(redis.Address).Client(4).Cluster("primary", upstream));
        await using var b = await GatewayFixture.StartAsync(s => s.Backplane(redis.Address).Client(4).Cluster("primary", upstream));
        await Replicas.UntilAsync(() => a.Up() == 1 && b.Up() == 1, "there is no connection");

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(200, (await a.AskAsync()).Status);
        }

        // The client's first request here tells this replica whom to ask about.
        Assert.InRange((await b.AskAsync()).Status!.Value, 200, 429);
        var answer = await b.AskAsync();
        for (var i = 0; i < 200 && answer.Status != 429; i++)
        {
            await Task.Delay(50, Cancel);
            answer = await b.AskAsync();
        }

        Assert.Equal(429, answer.Status);

        Assert.InRange(upstream.RequestCount, 4, 8);
        Assert.InRange(int.Parse(answer.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 120);
        Assert.Contains("rate_limit_exceeded", answer.Text);
        // No name of a key or header, let alone its value, is in what is shared.
        Assert.DoesNotContain(Replicas.ClientKey, await redis.CommandAsync("KEYS", "*"));
        Assert.Contains("proxygateway:used:alice:", await redis.CommandAsync("KEYS", "*"));
    }

    [Fact]
    public async Task RedisIsKilledStoppedAndBack_NoRequestNotices()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s => s.Backplane(redis.Address).Client(100_000).Cluster("primary", upstream));
        await Replicas.UntilAsync(() => gateway.Up() == 1, "there is no connection");
        using var stop = new CancellationTokenSource();
        var traffic = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => SendUntilAsync(gateway, stop.Token)));

        await redis.KillAsync();
        await Replicas.UntilAsync(() => gateway.Up() == 0, "its end was not noticed");
        await redis.StartAgainAsync();
        await Replicas.UntilAsync(() => gateway.Up() == 1, "it was not found again");
        await redis.SignalAsync("STOP");
        await Replicas.UntilAsync(() => gateway.Up() == 0, "its silence was not noticed");
        await redis.SignalAsync("CONT");
        await Replicas.UntilAsync(() => gateway.Up() == 1, "it was not found again");
        await stop.CancelAsync();
        var statuses = (await traffic).SelectMany(s => s).ToList();

        Assert.True(statuses.Count > 20, $"{statuses.Count} requests");
        Assert.All(statuses, s => Assert.Equal(200, s));
        Assert.True(gateway.Meter.Count("proxygateway.backplane.failures") >= 2);
    }

    [Theory]
    [InlineData("WRONGPASS", "--requirepass", "the-right-one")]
    [InlineData("OOM", "--maxmemory", "1", "--maxmemory-policy", "noeviction")]
    [InlineData("READONLY", "--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "yes")]
    public async Task RedisRefuses_RequestsAreServedAndThePasswordIsSeenNowhere(string why, params string[] options)
    {
        await using var redis = await RedisServer.StartAsync(options);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        const string Secret = "s3cr3t-canary";
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Backplane(why == "WRONGPASS" ? $"{redis.Address},password={Secret}" : redis.Address).Client(100).Cluster("primary", upstream);
            s["Logging:LogLevel:Default"] = "Trace";
        });

        Assert.Equal(200, (await gateway.AskAsync()).Status);
        await GatewayFixture.EventuallyAsync(() => gateway.Meter.Count("proxygateway.backplane.failures") > 0, $"{why} was not counted");
        Assert.Equal(200, (await gateway.AskAsync()).Status);

        Assert.Equal(0, gateway.Up());
        Assert.Contains(gateway.Log.All, l => l.StartsWith("Warning", StringComparison.Ordinal) && l.Contains("backplane", StringComparison.Ordinal));
        Assert.DoesNotContain(gateway.Log.All, l => l.Contains(Secret, StringComparison.Ordinal));
        using var client = new HttpClient { BaseAddress = gateway.Management };
        foreach (var path in new[] { "/metrics", "/api/status", "/api/config", "/" })
        {
            Assert.DoesNotContain(Secret, await client.GetStringAsync(new Uri(path, UriKind.Relative), Cancel), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", false)]
    [InlineData("$-17\r\n", false)]
    [InlineData("+OK\r\n", false)]
    [InlineData(":9223372036854775807\r\n", false)]
    [InlineData("$536870912\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", true)]
    public async Task NoRedisAtAll_RequestsAreServed(string? answer, bool forEver)
    {
        await using var redis = new FalseRedis(answer, forEver);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayFixture.StartAsync(s =>
        {
            s.Backplane(redis.Address).Client(100).Cluster("primary", upstream);
            s["Gateway:Backplane:Timeout"] = "00:00:00.2";
        });

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, (await gateway.AskAsync()).Status);
        }

        await GatewayFixture.EventuallyAsync(() => redis.Connections > 1 && gateway.Meter.Count("proxygateway.backplane.failures") > 1, "nothing was tried");
        Assert.Equal(200, (await gateway.AskAsync()).Status);
        Assert.Equal(0, gateway.Up());
        Assert.InRange(gateway.Log.All.Count(l => l.Contains("backplane", StringComparison.Ordinal)), 1, 2);
    }

    [Fact]
    public async Task Backplane_IsConfiguredChangedAndTakenAwayWhileItServes()
    {
        await using var redis = await RedisServer.StartAsync("--requirepass", "the-right-one");
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayFixture.StartAsync(s => s.Cluster("primary", upstream));
        Assert.Null(gateway.Up());

        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, $"{redis.Address},password=the-wrong-one\n", Cancel);
        await gateway.ReloadAsync(s =>
        {
            s["Gateway:Backplane:ConnectionStringFile"] = file;
            s["Gateway:Backplane:Interval"] = "00:00:00.1";
        });
        await Replicas.UntilAsync(() => gateway.Up() == 0, "it was not tried");
        await File.WriteAllTextAsync(file, $"{redis.Address},password=the-right-one\n", Cancel);
        await Replicas.UntilAsync(() => gateway.Up() == 1, "the new password was not read");

        await gateway.ReloadAsync(s => s["Gateway:Backplane:ConnectionStringFile"] = null);
        await Replicas.UntilAsync(() => gateway.Up() is null, "it was not let go");
        File.Delete(file);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Redis_IsLoadedOnlyWhereItIsConfigured(bool configured)
    {
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s =>
        {
            s.Client(10).Cluster("primary", upstream);
            if (configured)
            {
                s.Backplane("127.0.0.1:1");
            }
        });
        var answer = await RawHttpClient.SendAsync(
            new HttpCall
            {
                Address = gateway.Http1,
                Body = Chat.Default.Request(),
                Headers = [new("Content-Type", "application/json"), new("Authorization", "Bearer " + Replicas.ClientKey)],
            },
            Cancel);

        Assert.Equal(200, answer.Status);
        Assert.Equal(configured, (await gateway.MetricAsync("proxygateway_backplane_up", "none")).Count > 0);
        // A published binary has everything in one file.
        Assert.SkipWhen(Environment.GetEnvironmentVariable("PROXYGATEWAY_BINARY") is not null, "not this build's program");
        Assert.Equal(configured, gateway.HasLoaded("StackExchange.Redis.dll"));
    }

    /// <summary>Half a gigabyte is announced and sent, on each connection.</summary>
    [Fact]
    public async Task ServerThatSendsWithoutEnd_FillsNoMemory()
    {
        await using var redis = new FalseRedis("$536870912\r\n" + new string('x', 60_000), forEver: true);
        await using var upstream = ScriptedUpstream.Start();
        await using var gateway = await GatewayProcess.StartAsync(s => s.Backplane(redis.Address).Cluster("primary", upstream));

        await Replicas.UntilAsync(() => redis.Connections >= 4, "it was not tried again");

        Assert.True(await gateway.IsReadyAsync());
        Assert.InRange(gateway.PeakResident, 1, 300L * 1024 * 1024);
    }

    private static async Task<List<int?>> SendUntilAsync(GatewayFixture gateway, CancellationToken stop)
    {
        List<int?> statuses = [];
        while (!stop.IsCancellationRequested)
        {
            statuses.Add((await gateway.AskAsync()).Status);
            await Task.Delay(5, Cancel);
        }

        return statuses;
    }
}
