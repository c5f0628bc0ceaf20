using System.Diagnostics;
using ProxyGateway.TestKit;
using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Client;
using Xunit;

namespace ProxyGateway.IntegrationTests.Network;

/// <summary>A demo agent as a process of its own, which can be killed. What it says depends on the prompt alone.</summary>
internal sealed class AgentProcess : IDisposable
{
    private readonly Process _process;

    private AgentProcess(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    public static async Task<AgentProcess> StartAsync(int tokens, TimeSpan delay)
    {
        var address = new Uri($"http://127.0.0.1:{FreePort.Next()}/");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "proxygateway.dll"), "demo-agent", "--listen", $"http://{address.Authority}", "--tokens", $"{tokens}", "--token-delay", $"{delay:c}"]) { RedirectStandardOutput = true };
        var agent = new AgentProcess(Process.Start(start)!, address);
        Assert.StartsWith("A demo agent listens", await agent._process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        return agent;
    }

    /// <summary>What it says to a request, without a gateway.</summary>
    public async Task<byte[]> SayAsync(bool stream)
    {
        var result = await RawHttpClient.SendAsync(new HttpCall { Address = Address, Body = Chat.Default.Request(stream), Timeout = TimeSpan.FromSeconds(60) }, TestContext.Current.CancellationToken);
        Assert.Equal(200, result.Status);
        return result.Body;
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
