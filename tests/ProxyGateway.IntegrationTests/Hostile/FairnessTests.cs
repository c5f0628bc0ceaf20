using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>Whether some streams' work can stop others: with work in the thread pool and, where one thread has many streams, without.</summary>
public sealed partial class FairnessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A stall is somebody who waits for good, or nearly. Many processes on few cores have made events 3 s late that stopped at nothing.</summary>
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LogThatNobodyReads_StopsNoStream(bool inline)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The pipe is Linux's.");
        using var log = new UnreadLog();
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s => Configure(s, inline).Cluster("primary", upstream), log.Redirection);

        // Some ten lines each: the pipe and the logger's queue are full after the first few hundred.
        for (var i = 0; i < 600; i++)
        {
            var result = await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(10));
            Assert.True(result.IsDone(), $"exchange {i + 1}: {result.Status} {result.Ending}");
        }

        await log.DrainAsync(() => Probe.AskAsync(gateway.Http1, Patience), () => Dropped().IsMatch(gateway.Log));
        Assert.True(int.Parse(Dropped().Match(gateway.Log).Groups[1].ValueSpan, CultureInfo.InvariantCulture) > 0, gateway.Log);
    }

    /// <summary>
    /// Quiet streams by the hundred (nightly: 9,000), clients that hardly read, recoveries with answers of 1 MB, TLS handshakes and a log nobody reads;
    /// beside them paced streams, each event of which has the time in it. The same events without a gateway show what the machine adds.
    /// </summary>
    [Fact]
    public async Task HostileMix_StopsNoOtherStream()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The pipe is Linux's.");
        foreach (var inline in Figures.IsNightly ? (bool[])[false, true, true, false] : [true])
        {
            await RunMixAsync(inline, Figures.Size(200, 9000), TimeSpan.FromSeconds(Figures.Size(4, 30)));
        }
    }

    private static async Task RunMixAsync(bool inline, int quiet, TimeSpan window)
    {
        const string Password = "p";
        using var log = new UnreadLog();
        var certificate = TlsClient.WriteCertificate(log.Folder, Password);
        await using var upstream = new MixedUpstream();
        await using var gateway = await GatewayProcess.StartAsync(
            s =>
            {
                Configure(s, inline).Cluster("primary", upstream.Address, ("Timeouts:Idle", "00:01:00"));
                s["Gateway:Listen"] = s.Values["Gateway:Listen"]!.Replace("http:", "https:", StringComparison.Ordinal);
                s["Gateway:Certificate:Path"] = certificate;
                s["Gateway:Certificate:Password"] = Password;
            },
            log.Redirection);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        List<double>[] throughGateway = [[], [], [], []], direct = [[], []];
        var probes = throughGateway.Select(d => Start(() => ReadPaced(gateway.Http1, d, stop.Token)))
            .Concat(direct.Select(d => Start(() => ReadDirectly(upstream.Address, d, stop.Token)))).ToList();
        var held = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Start(() => Open(gateway.Http1, "quiet", quiet / 4))));
        var slow = Open(gateway.Http1, "flood", 20);
        int handshakes = 0, broken = 0;
        Task[] hostile =
        [
            .. Enumerable.Range(0, 2).Select(_ => Start(() => Repeat(stop.Token, () => { new TlsClient(gateway.Http1, Patience).Dispose(); Interlocked.Increment(ref handshakes); }))),
            .. Enumerable.Range(0, 2).Select(_ => Start(() => Repeat(stop.Token, () => { ReadAll(gateway.Http1, "broken"); Interlocked.Increment(ref broken); }))),
            Start(() => Repeat(stop.Token, () => { ReadALittle(slow); Thread.Sleep(20); })),
        ];

        // What was under way while the streams were opened is part of it, but the window is long enough without.
        await Task.Delay(window, TestContext.Current.CancellationToken);
        var lost = held.SelectMany(h => h).Count(c => c is null);
        await stop.CancelAsync();
        await Task.WhenAll([.. probes, .. hostile]);
        foreach (var client in held.SelectMany(h => h).Concat(slow))
        {
            client?.Dispose();
        }

        var (ours, theirs) = (throughGateway.SelectMany(d => d).Order().ToList(), direct.SelectMany(d => d).Order().ToList());
        Figures.Write(inline ? "fairness, inline" : "fairness, pool", string.Create(
            CultureInfo.InvariantCulture,
            $"{quiet} quiet streams, {slow.Count} slow readers, {handshakes} handshakes, {broken} recoveries ({upstream.Replays} answers of 1 MB); {ours.Count} events: {Describe(ours)}; without gateway: {Describe(theirs)}"));
        Assert.Equal(0, lost);
        Assert.True(upstream.Replays > 0 && handshakes > 0);
        // Every probe to its end: one that stands still for good has no late event to show for it.
        var expected = window / MixedUpstream.Pace / 4;
        Assert.All(throughGateway, d => Assert.True(d.Count > expected, $"{d.Count} events of a paced stream"));
        Assert.True(ours[^1] < theirs[^1] + Stall.TotalMilliseconds, $"An event took {ours[^1]:0} ms; without the gateway {theirs[^1]:0} ms");
        await log.DrainAsync(() => Start(() => new TlsClient(gateway.Http1, Patience).Dispose()), () => Dropped().IsMatch(gateway.Log));
    }

    private static GatewaySetup Configure(GatewaySetup setup, bool inline)
    {
        setup["Gateway:InlineScheduling"] = inline ? "true" : "false";
        // Enough lines to fill the pipe and the queue in no time.
        setup["Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel"] = "Trace";
        setup["Logging:LogLevel:Microsoft.AspNetCore.Routing"] = "Trace";
        return setup;
    }

    private static List<TlsClient?> Open(Uri gateway, string model, int count)
    {
        var clients = new List<TlsClient?>();
        for (var i = 0; i < count; i++)
        {
            try
            {
                var client = new TlsClient(gateway, Patience).Ask(model);
                clients.Add(client.Read(new byte[4096]) > 0 ? client : null);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                clients.Add(null);
            }
        }

        return clients;
    }

    private static void ReadPaced(Uri gateway, List<double> milliseconds, CancellationToken stop)
    {
        using var client = new TlsClient(gateway, Patience).Ask("paced");
        client.ReadPaced(milliseconds, stop);
    }

    private static void ReadDirectly(Uri upstream, List<double> milliseconds, CancellationToken stop)
    {
        using var client = new TcpClient(upstream.Host, upstream.Port) { NoDelay = true };
        var stream = client.GetStream();
        var body = new Chat { Model = "paced" }.Request();
        stream.Write([.. System.Text.Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nContent-Length: {body.Length}\r\n\r\n"), .. body]);
        TlsClient.ReadPaced(stream, milliseconds, stop);
    }

    private static void ReadAll(Uri gateway, string model)
    {
        using var client = new TlsClient(gateway, Patience).Ask(model);
        var buffer = new byte[64 * 1024];
        while (client.Read(buffer) > 0)
        {
        }
    }

    private static void ReadALittle(List<TlsClient?> clients)
    {
        var buffer = new byte[256];
        foreach (var client in clients)
        {
            client?.Read(buffer);
        }
    }

    private static void Repeat(CancellationToken stop, Action action)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                action();
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Refused or broken off: what counts is what the others notice of it.
            }
        }
    }

    private static Task Start(Action action) => Task.Factory.StartNew(action, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task<T> Start<T>(Func<T> action) => Task.Factory.StartNew(action, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static string Describe(List<double> sorted) => sorted.Count == 0 ? "none" : string.Create(
        CultureInfo.InvariantCulture, $"p50 {At(sorted, 0.5):0.0}, p99 {At(sorted, 0.99):0.0}, p99.9 {At(sorted, 0.999):0.0}, longest {sorted[^1]:0.0} ms");

    private static double At(List<double> sorted, double share) => sorted[(int)Math.Min(sorted.Count - 1, share * sorted.Count)];

    [GeneratedRegex(@"(\d+) message\(s\) dropped")]
    private static partial Regex Dropped();
}
