using System.Diagnostics;
using System.Globalization;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>No thread that serves requests waits for anything: what the runtime itself says of waits inside the gateway's process.</summary>
public sealed class BlockingCallTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OrdinaryRecoveredAndFallenBackExchanges_BlockNoThread(bool inline)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads are told apart by the names Linux knows.");
        Assert.SkipWhen(Environment.GetEnvironmentVariable("PROXYGATEWAY_BINARY") is not null, "A published gateway takes no startup hook.");
        var folder = Directory.CreateTempSubdirectory("gateway-waits-").FullName;
        var record = Path.Combine(folder, "waits");
        await using var upstream = ScriptedUpstream.Start();
        await using var failing = ScriptedUpstream.Start();
        await using var second = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        second.Choose = asked => Agents.Good(asked);
        failing.Choose = asked => asked.Number % 3 == 0 ? Agents.Error(503) : asked.AsksForStream ? Agents.Started(3).Delay(TimeSpan.FromMilliseconds(5)).Reset() : Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(
            s =>
            {
                s.Chat("primary", ("Models:failing", "failing")).Cluster("primary", upstream).Cluster("failing", failing).Cluster("second", second).Fallback("failing", "second");
                s["Gateway:InlineScheduling"] = inline ? "true" : "false";
            },
            null,
            ("DOTNET_STARTUP_HOOKS", typeof(StartupHook).Assembly.Location),
            (StartupHook.FileVariable, record));

        // The first exchanges make what is made once.
        await AskAsync(gateway.Http1, 40);
        // Two lines of the deliberate wait: what the task says and what the runtime says of it.
        for (var since = Stopwatch.StartNew(); !Detects(record); await Task.Delay(100, TestContext.Current.CancellationToken))
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(60), "the detector does not detect");
        }

        await SettledAsync(record);
        var warm = File.ReadAllLines(record);

        var exchanges = Figures.Size(400, 10_000);
        await AskAsync(gateway.Http1, exchanges);
        await SettledAsync(record);
        var waits = File.ReadAllLines(record)[warm.Length..].Where(l => !l.Contains(StartupHook.Deliberate, StringComparison.Ordinal)).ToList();
        var locks = waits.Where(l => l.StartsWith("lock", StringComparison.Ordinal)).Select(l => double.Parse(l.Split(' ')[1], CultureInfo.InvariantCulture)).Order().ToList();
        Figures.Write(inline ? "waits, inline" : "waits, pool", string.Create(
            CultureInfo.InvariantCulture,
            $"{exchanges} exchanges: {waits.Count - locks.Count} blocking calls; {locks.Count} waits for a lock, {locks.Sum():0.0} ms in all, longest {locks.LastOrDefault():0.0} ms"));
        Directory.Delete(folder, recursive: true);

        // Locks are held for moments by the server and the pools; to meet at one is no blocking call.
        Assert.DoesNotContain(waits, l => !l.StartsWith("lock", StringComparison.Ordinal));
    }

    private static bool Detects(string record) => File.Exists(record)
        && File.ReadAllLines(record) is var lines
        && lines.Any(l => l.StartsWith("task", StringComparison.Ordinal) && l.Contains(StartupHook.Deliberate, StringComparison.Ordinal))
        && lines.Any(l => l.StartsWith(StartupHook.Deliberate + " monitor .NET TP Worker", StringComparison.Ordinal));

    private static async Task AskAsync(Uri gateway, int count)
    {
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            for (int n; (n = Interlocked.Decrement(ref left)) >= 0;)
            {
                var chat = new Chat { Model = n % 4 == 0 ? "failing" : "m" };
                var result = await RawHttpClient.SendAsync(
                    new HttpCall { Address = gateway, Body = chat.Request(), Timeout = TimeSpan.FromSeconds(20) }, TestContext.Current.CancellationToken);
                Assert.Equal(200, result.Status);
            }
        }));
    }

    /// <summary>The runtime's events come a moment after what they tell of.</summary>
    private static async Task SettledAsync(string record)
    {
        long size;
        do
        {
            size = File.Exists(record) ? new FileInfo(record).Length : 0;
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
        while (!File.Exists(record) || new FileInfo(record).Length != size);
    }
}
