using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ProxyGateway.TestKit;
using Xunit;

namespace ProxyGateway.IntegrationTests.Backplane;

/// <summary>A real Redis on a port of its own, which can be killed and started again. Nothing of it is kept on disk.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly string[] _options;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("proxygateway-redis");
    private Process? _process;

    private RedisServer(string[] options) => _options = options;

    public int Port { get; } = FreePort.Next();

    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Skips the test, visibly, where Redis is not installed; in CI that is a failure.</summary>
    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = new RedisServer(options);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch (Win32Exception)
        {
            await server.DisposeAsync();
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "redis-server is not installed (Debian package redis-server).");
            throw;
        }
    }

    public async Task StartAgainAsync()
    {
        _process = Process.Start(new ProcessStartInfo("redis-server", ["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _folder.FullName, "--loglevel", "warning", .. _options])
        {
            RedirectStandardOutput = true,
        })!;
        _process.BeginOutputReadLine();
        var since = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                // An answer of any kind: one that wants a password is there as well.
                if ((await CommandAsync("PING")).Length > 0)
                {
                    return;
                }
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                Assert.True(since.Elapsed < StartLimit && !_process.HasExited, "Redis did not start");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>As a crash, or somebody's <c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>It is there, and does nothing (SIGSTOP), or goes on (SIGCONT).</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process!.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>One command in words without spaces; the raw answer.</summary>
    public async Task<string> CommandAsync(params string[] words)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var command = new StringBuilder($"*{words.Length}\r\n");
        foreach (var word in words)
        {
            command.Append(System.Globalization.CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(command.ToString()), TestContext.Current.CancellationToken);
        var buffer = new byte[64 * 1024];
        var read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        _folder.Delete(recursive: true);
    }
}
