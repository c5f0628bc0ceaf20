using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ProxyGateway.Demo;
using ProxyGateway.Hosting;
using ProxyGateway.Management;
using Xunit;

namespace ProxyGateway.IntegrationTests.Demo;

/// <summary>The demo as a user starts it: real agents, real gateway.</summary>
public sealed class DemoThroughGatewayTests
{
    [Fact]
    public async Task Once_EveryPromiseIsKeptAndExitCodeIsZero()
    {
        var output = new StringWriter();

        var exitCode = await new DemoCommand(StartAsync, output).RunAsync(once: true, TestContext.Current.CancellationToken);

        Assert.True(exitCode == 0, output.ToString());
        Assert.Contains($"{DemoCase.All.Count} of {DemoCase.All.Count} promises kept", output.ToString(), StringComparison.Ordinal);
        Assert.Contains(" 0 ended silently or otherwise broken", output.ToString(), StringComparison.Ordinal);
    }

    private static async Task<DemoGateway> StartAsync(IReadOnlyDictionary<string, string?> configuration, CancellationToken cancel)
    {
        var app = GatewayHost.Build(c => c.AddInMemoryCollection(configuration), builder => builder.Logging.ClearProviders());
        await app.StartAsync(cancel);
        return new DemoGateway(
            new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()),
            new Uri(app.Services.GetRequiredService<ManagementServer>().Address!),
            app);
    }
}
