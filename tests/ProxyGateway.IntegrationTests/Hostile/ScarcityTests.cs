using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Upstream;
using Xunit;

namespace ProxyGateway.IntegrationTests.Hostile;

/// <summary>A gateway with too few descriptors, too little memory or too few ports for what comes: it stays alive, says no, and is well again at once.</summary>
public sealed class ScarcityTests
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task MoreConnectionsThanDescriptors_AliveAndWellAgainAtOnce()
    {
        var count = Figures.Size(1000, 2000);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", upstream), "ulimit -n 512");
        Assert.Equal(200, (await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(10))).Status);
        var before = gateway.Descriptors;
        var clients = new List<Socket>();
        var request = SlowClientTests.RequestBytes(Chat.Default.Request());
        try
        {
            for (var i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                clients.Add(socket);
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
                try
                {
                    await socket.ConnectAsync(gateway.Http1.Host, gateway.Http1.Port, patience.Token);
                    if (i % 2 == 0)
                    {
                        await socket.SendAsync(request, patience.Token);
                    }
                }
                catch (Exception e) when (e is OperationCanceledException or SocketException)
                {
                    // The backlog is full, or it was thrown out.
                }
            }

            await Task.Delay(TimeSpan.FromSeconds(Figures.Size(1, 5)), TestContext.Current.CancellationToken);
            Assert.False(gateway.HasExited, gateway.Log);
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }

        var took = await WellAgainAsync(gateway);
        await gateway.AssertIdleAsync();
        Figures.Write("descriptors", $"ulimit -n 512, {count} connections: alive, answers {took.TotalSeconds:0.0} s after they left; {before} descriptors before, {gateway.Descriptors} after");
        Assert.True(took < Recovery, $"{took}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LittleMemoryUnderLoad_503BeforeDeath(bool largeRequests)
    {
        var (parallel, rounds) = (Figures.Size(60, 200), Figures.Size(2, 10));
        await using var upstream = ScriptedUpstream.Start();
        var answer = Chat.Default.Completion(new string('w', 4 << 20));
        upstream.Choose = asked => !largeRequests && !asked.AsksForStream
            ? UpstreamScript.Json(answer)
            : asked.Body.Length > 100_000 ? new UpstreamScript().Delay(TimeSpan.FromMilliseconds(500)).Head(200, "application/json").Body(Agents.WholeAnswer).EndClean() : Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", upstream), null, ("DOTNET_GCHeapHardLimit", "0x10000000"));
        Assert.Equal(200, (await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(10))).Status);
        var body = Chat.Default.Request(stream: false, prompt: largeRequests ? new string('p', 8 << 20) : "hi");
        var statuses = new ConcurrentBag<string>();

        await Task.WhenAll(Enumerable.Range(0, parallel).Select(async _ =>
        {
            for (var i = 0; i < rounds; i++)
            {
                var result = await RawHttpClient.SendAsync(new HttpCall { Address = gateway.Http1, Body = body, Timeout = TimeSpan.FromSeconds(60) }, TestContext.Current.CancellationToken);
                statuses.Add(result.Ending != ClientEnding.Clean ? result.Ending.ToString()
                    : result.Status != 200 ? $"{result.Status} {result.ErrorCode()}"
                    : result.Body.AsSpan().SequenceEqual(largeRequests ? Agents.WholeAnswer : answer) ? "200"
                    : $"200 with {result.Body.Length} bytes");
            }
        }));

        var said = string.Join(", ", statuses.GroupBy(s => s).OrderByDescending(g => g.Count()).Select(g => $"{g.Key}: {g.Count()}"));
        Assert.False(gateway.HasExited, gateway.Log);
        var took = await WellAgainAsync(gateway);
        await gateway.AssertIdleAsync();
        Figures.Write("memory", $"256 MB of heap, {parallel} clients at a time with {(largeRequests ? "requests of 8 MB" : "answers of 4 MB")}: {said}; peak {gateway.PeakResident >> 20} MB resident; alive, answers {took.TotalSeconds:0.0} s later");

        Assert.DoesNotContain("failed inside the gateway", gateway.Log, StringComparison.Ordinal);
        Assert.All(statuses, s => Assert.True(s is "200" or "503 overloaded" or nameof(ClientEnding.ConnectionReset), said));
        Assert.Contains("200", statuses);
        Assert.True(took < Recovery, $"{took}");
        Assert.DoesNotContain("OutOfMemory", gateway.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LittleMemoryAndClientsThatNeverRead_Alive()
    {
        var count = Figures.Size(200, 500);
        var word = Encoding.UTF8.GetBytes(Chat.Default.Text(new string('w', 4000)));
        byte[] chunk = [.. Encoding.ASCII.GetBytes($"{word.Length:x}\r\n"), .. word, .. "\r\n"u8];
        await using var flood = new FloodingUpstream("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, 64L << 20);
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => Agents.Good(asked);
        await using var gateway = await GatewayProcess.StartAsync(
            s => s.Chat("primary", ("Models:flood", "flood")).Cluster("primary", upstream).Cluster("flood", flood.Address), null, ("DOTNET_GCHeapHardLimit", "0x10000000"));
        var request = SlowClientTests.RequestBytes(new Chat { Model = "flood" }.Request());
        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 * 1024 };
                clients.Add(socket);
                await socket.ConnectAsync(gateway.Http1.Host, gateway.Http1.Port, TestContext.Current.CancellationToken);
                await socket.SendAsync(request, TestContext.Current.CancellationToken);
            }

            await Task.Delay(TimeSpan.FromSeconds(Figures.Size(2, 10)), TestContext.Current.CancellationToken);
            Assert.False(gateway.HasExited, gateway.Log);
            var result = await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(5));
            Figures.Write("memory", $"256 MB of heap, {count} clients that never read: alive, others are answered {result.Status}; {gateway.Resident >> 20} MB resident");
            Assert.Equal((200, true), (result.Status, result.IsDone()));
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }

        await gateway.AssertIdleAsync();
        Assert.DoesNotContain("OutOfMemory", gateway.Log, StringComparison.Ordinal);
    }

    /// <summary>Needs a network namespace with that few ports; the nightly script makes one.</summary>
    [Fact]
    public async Task FewEphemeralPorts_AliveAndWellAgainAtOnce()
    {
        var range = (await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_local_port_range", TestContext.Current.CancellationToken)).Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var ports = int.Parse(range[1], CultureInfo.InvariantCulture) - int.Parse(range[0], CultureInfo.InvariantCulture) + 1;
        Assert.SkipWhen(ports > 200, "This network has too many ports; tests/nightly/run.sh ports makes one with 200.");
        await using var upstream = ScriptedUpstream.Start();
        upstream.Choose = asked => UpstreamScript.EventStream().Events(Agents.WholeStream, TimeSpan.FromMilliseconds(50)).EndClean();
        await using var gateway = await GatewayProcess.StartAsync(s => s.Cluster("primary", upstream, ("CircuitBreaker:BreakDuration", "00:00:01")));
        // Over HTTP/2, ten connections are enough for the clients.
        var clients = Enumerable.Range(0, 10).Select(_ => new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            DefaultRequestVersion = System.Net.HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = TimeSpan.FromSeconds(60),
        }).ToList();

        var statuses = await Task.WhenAll(Enumerable.Range(0, 1000).Select(async i =>
        {
            try
            {
                using var content = new ByteArrayContent(Chat.Default.Request()) { Headers = { ContentType = new("application/json") } };
                using var answer = await clients[i % 10].PostAsync(new Uri(gateway.Http2, "/v1/chat/completions"), content, TestContext.Current.CancellationToken);
                return $"{(int)answer.StatusCode}";
            }
            catch (HttpRequestException)
            {
                return "reset";
            }
        }));

        clients.ForEach(c => c.Dispose());
        Assert.False(gateway.HasExited, gateway.Log);
        var took = await WellAgainAsync(gateway);
        await gateway.AssertIdleAsync();
        Figures.Write("ports", $"{ports} ephemeral ports, 1000 streams at once: {string.Join(", ", statuses.GroupBy(s => s).Select(g => $"{g.Key}: {g.Count()}"))}; alive, answers {took.TotalSeconds:0.0} s later");
        Assert.All(statuses, s => Assert.True(s is "200" or "502" or "503", s));
        Assert.Contains("200", statuses);
        Assert.True(took < Recovery, $"{took}");
    }

    private static async Task<TimeSpan> WellAgainAsync(GatewayProcess gateway)
    {
        var since = Stopwatch.StartNew();
        var last = "";
        while (true)
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(20), $"{last}\n{gateway.Log}");
            var result = await Probe.AskAsync(gateway.Http1, TimeSpan.FromSeconds(2));
            if (result.Status == 200 && result.IsDone() && await gateway.IsReadyAsync())
            {
                break;
            }

            last = $"{result.Status} {result.Ending} {result.Text}";
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return since.Elapsed;
    }
}
