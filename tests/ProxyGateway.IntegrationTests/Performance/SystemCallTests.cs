using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace ProxyGateway.IntegrationTests.Performance;

/// <summary>
/// What the gateway asks of the kernel for each chunk of a quiet stream, counted by strace on the real process: a figure that
/// does not depend on how busy the machine is, as a time would.
/// </summary>
public sealed class SystemCallTests
{
    private const int Chunks = 400;
    private const string Strace = "/usr/bin/strace";

    [Fact]
    public async Task PacedChunk_CostsOneSendAndTwoReceives()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "strace is Linux's.");
        if (!File.Exists(Strace))
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "strace is not installed (Debian package strace).");
            Assert.Fail("strace is not installed.");
        }

        using var agent = new TcpListener(IPAddress.Loopback, 0);
        agent.Start();
        var begin = new TaskCompletionSource();
        var serving = ServeAsync(agent, begin.Task);
        using var gateway = StartGateway(((IPEndPoint)agent.LocalEndpoint).Port, out var port);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await ConnectAsync(client, port);
        const string Body = """{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}""";
        await client.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
        var buffer = new byte[64 * 1024];
        await client.ReceiveAsync(buffer);

        var counts = Path.GetTempFileName();
        using var strace = Process.Start(new ProcessStartInfo(Strace, ["-f", "-c", "-U", "calls,name", "-o", counts, "-p", gateway.Id.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true })!;
        // It says so once per thread when it has attached.
        await strace.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        begin.SetResult();
        var received = 0;
        while (received < Chunks)
        {
            var read = await client.ReceiveAsync(buffer);
            Assert.NotEqual(0, read);
            received += buffer.AsSpan(0, read).Count((byte)'~');
        }

        // strace writes its table when what it traces has ended.
        gateway.Kill();
        await strace.WaitForExitAsync(TestContext.Current.CancellationToken);
        await serving;
        var calls = ReadCounts(counts);
        File.Delete(counts);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", calls.OrderByDescending(c => c.Value).Take(8).Select(c => $"{c.Key} {c.Value}")));

        // At most one send to the client; one receive with the chunk and one that finds no more; one wake-up. Less is no fault: on a
        // slow machine chunks come together, and leave together. Futexes are left out: most are the JIT's, which is at work while a
        // young process is watched.
        Assert.InRange(calls["sendto"] + calls.GetValueOrDefault("sendmsg"), Chunks * 0.2, Chunks * 1.1);
        Assert.InRange(calls["recvfrom"] + calls.GetValueOrDefault("recvmsg"), Chunks * 0.2, Chunks * 2.2);
        Assert.InRange(calls["epoll_wait"], Chunks * 0.2, Chunks * 1.3);
    }

    private static async Task ServeAsync(TcpListener listener, Task begin)
    {
        using var socket = await listener.AcceptSocketAsync();
        socket.NoDelay = true;
        await socket.ReceiveAsync(new byte[8192]);
        await socket.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("first")));
        await begin;
        for (var i = 0; i < Chunks; i++)
        {
            // Traced, the gateway takes a while for each; what comes sooner would come to it together with the last.
            await Task.Delay(5);
            await socket.SendAsync(Encoding.ASCII.GetBytes(Chunk($"t{i}~")));
        }
    }

    private static string Chunk(string text)
    {
        var line = $"data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n";
        return $"{line.Length:x}\r\n{line}\r\n";
    }

    private static Process StartGateway(int agent, out int port)
    {
        using (var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            port = ((IPEndPoint)probe.LocalEndPoint!).Port;
        }

        var file = Path.Combine(Directory.CreateTempSubdirectory("gateway-syscalls-").FullName, "appsettings.json");
        File.WriteAllText(file, $$"""
            {
              "Gateway": { "Listen": "http://127.0.0.1:{{port}}", "ManagementListen": "http://127.0.0.1:0" },
              "ReverseProxy": {
                "Routes": { "chat": { "ClusterId": "agent", "Match": { "Path": "/v1/chat/completions" }, "StreamingFallback": { "Format": "openai-chat" } } },
                "Clusters": { "agent": { "Destinations": { "a": { "Address": "http://127.0.0.1:{{agent}}" } } } }
              }
            }
            """);
        return Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "proxygateway.dll"), "run", "--config", file]) { RedirectStandardOutput = true })!;
    }

    private static async Task ConnectAsync(Socket client, int port)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (tries < 600)
            {
                await Task.Delay(100);
            }
        }
    }

    private static Dictionary<string, long> ReadCounts(string file) => File.ReadLines(file)
        .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(f => f is [_, { } name] && name != "total" && long.TryParse(f[0], CultureInfo.InvariantCulture, out _))
        .ToDictionary(f => f[1], f => long.Parse(f[0], CultureInfo.InvariantCulture));
}
