using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using ProxyGateway.Configuration.Merging;
using ProxyGateway.IntegrationTests.Gateway;
using ProxyGateway.Management;
using Xunit;

namespace ProxyGateway.IntegrationTests.Management;

/// <summary>The verb <c>healthcheck</c> against a gateway, against none, and against somebody else.</summary>
public sealed class HealthCheckTests
{
    [Fact]
    public async Task ReadyGateway_EndsWith0()
    {
        await using var gateway = await GatewayFixture.StartAsync(static _ => { });

        Assert.Equal((0, $"{Trim(gateway.Management)}/health/ready: 200"), await AskAsync(gateway.Management, HealthCheckCommand.Ready));
    }

    [Fact]
    public async Task DrainingGateway_IsAliveAndNotReady()
    {
        await using var gateway = await GatewayFixture.StartAsync(static _ => { });
        gateway.Services.GetRequiredService<Readiness>().IsReady = false;

        Assert.Equal((1, $"{Trim(gateway.Management)}/health/ready: 503"), await AskAsync(gateway.Management, HealthCheckCommand.Ready));
        Assert.Equal((0, $"{Trim(gateway.Management)}/health/live: 200"), await AskAsync(gateway.Management, HealthCheckCommand.Live));
    }

    [Fact]
    public async Task ProbeWithHead_IsAnsweredAsWithGet()
    {
        await using var gateway = await GatewayFixture.StartAsync(static _ => { });
        using var client = new HttpClient();
        foreach (var path in new[] { HealthCheckCommand.Ready, HealthCheckCommand.Live })
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(gateway.Management, path));
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Nobody_EndsWith1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = new Uri($"http://{taken.LocalEndpoint}");
        taken.Stop();

        Assert.Equal((1, $"{Trim(address)}/health/ready: no answer (ConnectionError)"), await AskAsync(address, HealthCheckCommand.Ready));
    }

    [Fact]
    public async Task SilentListener_EndsWith1InTime()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var clock = Stopwatch.StartNew();

        var (exitCode, line) = await AskAsync(new Uri($"http://{silent.LocalEndpoint}"), HealthCheckCommand.Ready, TimeSpan.FromSeconds(0.3));

        Assert.Equal(1, exitCode);
        Assert.EndsWith("no answer within 0.3 s", line, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(5));
    }

    private static string Trim(Uri address) => address.GetLeftPart(UriPartial.Authority);

    private static async Task<(int ExitCode, string Line)> AskAsync(Uri management, string path, TimeSpan? patience = null)
    {
        var output = new StringWriter();
        var inputs = new ConfigurationInputs
        {
            File = "/nowhere/appsettings.json",
            Environment = new Dictionary<string, string> { ["Gateway__ManagementListen"] = Trim(management) },
        };
        var exitCode = await HealthCheckCommand.RunAsync(inputs, path, patience ?? TimeSpan.FromSeconds(5), output, TestContext.Current.CancellationToken);
        return (exitCode, output.ToString().TrimEnd());
    }
}
